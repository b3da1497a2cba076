import ICE

typealias Lines = [SessionDescription.Line]

/// The value of an a-line, and where it stands.
typealias Attribute = (value: String, number: Int)

extension SessionDescription.Line {
    /// What follows `name:`, empty for a plain `a=name`; nil where it is another attribute.
    func attribute(_ name: String) -> String? {
        guard type == "a" else { return nil }
        let (own, wanted) = (value.utf8, name.utf8)
        guard own.starts(with: wanted) else { return nil }
        guard own.count > wanted.count else { return "" }
        let place = own.index(own.startIndex, offsetBy: wanted.count)
        return own[place] == UInt8(ascii: ":") ? String(value[own.index(after: place)...]) : nil
    }
}

extension Lines {
    /// The value of the first `a=name:value`, empty for a plain `a=name`.
    func attribute(_ name: String) -> String? { firstAttribute(name)?.value }

    /// The same with the number of its line.
    func firstAttribute(_ name: String) -> Attribute? {
        for line in self { if let value = line.attribute(name) { return (value, line.number) } }
        return nil
    }

    /// All values of `a=name`, in order. Goes over all lines: to be asked once for each name, and never for each of another list's.
    func attributes(_ name: String) -> [Attribute] {
        compactMap { line in line.attribute(name).map { ($0, line.number) } }
    }

    func has(_ name: String) -> Bool { firstAttribute(name) != nil }

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
        for (value, number) in lines.attributes("rtpmap") {
            let words = value.split(separator: " ", omittingEmptySubsequences: true)
            let parts = words.count == 2 ? words[1].split(separator: "/") : []
            guard (2...3).contains(parts.count), let type = UInt8(words[0]), type < 128, let rate = Int(parts[1]), rate > 0 else {
                throw .malformed(line: number, reason: .rtpmap)
            }
            maps[type] = maps[type] ?? (parts[0].lowercased(), rate, parts.count == 3 ? Int(parts[2]) ?? 0 : 1)
        }
        let (parameters, feedback) = (parametersByType(), feedbackByType())
        var named: Set<UInt8> = []
        var all = formats.compactMap { format -> Codec? in
            guard let type = UInt8(format), let (name, rate, channels) = maps[type], named.insert(type).inserted else { return nil }
            return Codec(
                payloadType: type, name: name, clockRate: rate, channels: channels, parameters: parameters[type] ?? [:],
                rtxPayloadType: nil,
                feedback: feedback.every.union(feedback.own[type] ?? []))
        }
        // The first repair of each payload type.
        var repairs: [UInt8: Codec] = [:]
        for codec in all where codec.name == "rtx" {
            guard let repaired = codec.parameters["apt"].flatMap({ UInt8($0) }), repairs[repaired] == nil else { continue }
            repairs[repaired] = codec
        }
        for index in all.indices {
            guard let repair = repairs[all[index].payloadType], repair.clockRate == all[index].clockRate else { continue }
            all[index].rtxPayloadType = repair.payloadType
        }
        return all
    }

    /// a=fmtp, of each payload type the first.
    private func parametersByType() -> [UInt8: [String: String]] {
        var found: [UInt8: [String: String]] = [:]
        for (value, _) in lines.attributes("fmtp") {
            let halves = value.split(separator: " ", maxSplits: 1)
            guard halves.count == 2, let type = UInt8(halves[0]), found[type] == nil else { continue }
            var result: [String: String] = [:]
            for part in halves[1].split(separator: ";") {
                let pair = part.split(separator: "=", maxSplits: 1)
                guard let name = pair.first else { continue }
                result[trimmed(name).lowercased()] = pair.count == 2 ? trimmed(pair[1]) : ""
            }
            found[type] = result
        }
        return found
    }

    private func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// a=rtcp-fb, of every payload type and of each.
    private func feedbackByType() -> (every: FeedbackFlags, own: [UInt8: FeedbackFlags]) {
        var every: FeedbackFlags = []
        var own: [UInt8: FeedbackFlags] = [:]
        for (value, _) in lines.attributes("rtcp-fb") {
            let words = value.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
            guard words.count >= 2, let flag = Self.feedback(words[1...].joined(separator: " ")) else { continue }
            if words[0] == "*" { every.insert(flag) } else if let type = UInt8(words[0]) { own[type, default: []].insert(flag) }
        }
        return (every, own)
    }

    private static func feedback(_ words: String) -> FeedbackFlags? {
        switch words {
        case "nack": .nack
        case "nack pli": .pictureLoss
        case "ccm fir": .fullIntraRequest
        case "goog-remb": .remb
        case "transport-cc": .transportWide
        default: nil
        }
    }

    /// SSRCs with their FID partners, at most 16. A partner is no source of its own.
    func sources() -> [RemoteSource] {
        var partners: [UInt32: UInt32] = [:]
        var retransmissions: Set<UInt32> = []
        for (value, _) in lines.attributes("ssrc-group").prefix(64) {
            let words = value.split(separator: " ")
            guard words.count == 3, words[0] == "FID", let first = UInt32(words[1]), let second = UInt32(words[2]), first != second else {
                continue
            }
            guard partners[first] == nil, !retransmissions.contains(first) else { continue }
            partners[first] = second
            retransmissions.insert(second)
        }
        var found: [RemoteSource] = []
        for (value, _) in lines.attributes("ssrc") {
            guard let ssrc = value.split(separator: " ").first.flatMap({ UInt32($0) }), !retransmissions.contains(ssrc),
                !found.contains(where: { $0.ssrc == ssrc }), found.count < 16
            else { continue }
            found.append(RemoteSource(ssrc: ssrc, rtxSSRC: partners[ssrc]))
        }
        return found
    }
}
