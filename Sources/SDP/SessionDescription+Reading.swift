import ICE

typealias Lines = [SessionDescription.Line]

extension Lines {
    /// The value of the first `a=name:value`, empty for a plain `a=name`.
    func attribute(_ name: String) -> String? { attributes(name).first }

    /// All values of `a=name`, in order.
    func attributes(_ name: String) -> [String] {
        compactMap { line in
            guard line.type == "a", line.value.hasPrefix(name) else { return nil }
            let rest = line.value.dropFirst(name.count)
            return rest.isEmpty ? "" : rest.first == ":" ? String(rest.dropFirst()) : nil
        }
    }

    func has(_ name: String) -> Bool { attribute(name) != nil }

    var direction: Direction? { Direction.allCases.first { has($0.rawValue) } }

    /// b=TIAS in bit/s, else b=AS in kbit/s.
    var bitsPerSecond: Int? {
        func value(_ prefix: String) -> Int? {
            first { $0.type == "b" && $0.value.hasPrefix(prefix) }.flatMap { UInt32($0.value.dropFirst(prefix.count)) }.map(Int.init)
        }
        return value("TIAS:") ?? value("AS:").map { $0 * 1_000 }
    }
}

package enum Direction: String, CaseIterable, Sendable {
    case sendrecv, sendonly, recvonly, inactive
    package var sends: Bool { self == .sendrecv || self == .sendonly }
    package var receives: Bool { self == .sendrecv || self == .recvonly }
    package init(sends: Bool, receives: Bool) {
        self = sends ? (receives ? .sendrecv : .sendonly) : receives ? .recvonly : .inactive
    }
}

/// A codec of an m-line.
struct Codec: Equatable {
    var payloadType: UInt8
    var name: String
    var clockRate: Int
    var channels: Int
    var parameters: [String: String]
    var rtxPayloadType: UInt8?
    var feedback: FeedbackFlags
}

extension SessionDescription.Media {
    var mid: String { lines.attribute("mid") ?? "" }

    /// All a=rtpmap of payload types that the m-line names, in the m-line's order of preference.
    func codecs() throws(SDPError) -> [Codec] {
        var maps: [UInt8: (String, Int, Int)] = [:]
        for value in lines.attributes("rtpmap") {
            let words = value.split(separator: " ", omittingEmptySubsequences: true)
            let parts = words.count == 2 ? words[1].split(separator: "/") : []
            guard (2...3).contains(parts.count), let type = UInt8(words[0]), type < 128, let rate = Int(parts[1]), rate > 0 else {
                throw .malformed(line: number, reason: .rtpmap)
            }
            maps[type] = maps[type] ?? (parts[0].lowercased(), rate, parts.count == 3 ? Int(parts[2]) ?? 0 : 1)
        }
        let all = formats.compactMap { format -> Codec? in
            guard let type = UInt8(format), let (name, rate, channels) = maps[type] else { return nil }
            return Codec(
                payloadType: type, name: name, clockRate: rate, channels: channels, parameters: parameters(of: type), rtxPayloadType: nil,
                feedback: feedback(of: type))
        }
        return all.map { codec in
            var codec = codec
            codec.rtxPayloadType =
                all.first { $0.name == "rtx" && $0.parameters["apt"] == "\(codec.payloadType)" && $0.clockRate == codec.clockRate }?
                .payloadType
            return codec
        }
    }

    private func parameters(of type: UInt8) -> [String: String] {
        guard let value = lines.attributes("fmtp").first(where: { $0.hasPrefix("\(type) ") }) else { return [:] }
        var result: [String: String] = [:]
        for part in value.dropFirst("\(type) ".count).split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard let name = pair.first else { continue }
            result[trimmed(name).lowercased()] = pair.count == 2 ? trimmed(pair[1]) : ""
        }
        return result
    }

    private func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private func feedback(of type: UInt8) -> FeedbackFlags {
        var flags: FeedbackFlags = []
        for value in lines.attributes("rtcp-fb") {
            let words = value.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 2, words[0] == "*" || words[0] == "\(type)" else { continue }
            switch words[1...].joined(separator: " ") {
            case "nack": flags.insert(.nack)
            case "nack pli": flags.insert(.pictureLoss)
            case "ccm fir": flags.insert(.fullIntraRequest)
            case "goog-remb": flags.insert(.remb)
            case "transport-cc": flags.insert(.transportWide)
            default: break
            }
        }
        return flags
    }

    /// SSRCs with their FID partners, at most 16. A partner is no source of its own.
    func sources() -> [RemoteSource] {
        var partners: [UInt32: UInt32] = [:]
        var retransmissions: Set<UInt32> = []
        for value in lines.attributes("ssrc-group").prefix(64) {
            let words = value.split(separator: " ")
            guard words.count == 3, words[0] == "FID", let first = UInt32(words[1]), let second = UInt32(words[2]), first != second else {
                continue
            }
            guard partners[first] == nil, !retransmissions.contains(first) else { continue }
            partners[first] = second
            retransmissions.insert(second)
        }
        var found: [RemoteSource] = []
        for value in lines.attributes("ssrc") {
            guard let ssrc = value.split(separator: " ").first.flatMap({ UInt32($0) }), !retransmissions.contains(ssrc),
                !found.contains(where: { $0.ssrc == ssrc }), found.count < 16
            else { continue }
            found.append(RemoteSource(ssrc: ssrc, rtxSSRC: partners[ssrc]))
        }
        return found
    }
}
