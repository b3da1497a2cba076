/// The header extensions that we take, of RFC 8285's a=extmap.
enum KnownExtension: String, CaseIterable {
    case mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    case streamID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    case repairedStreamID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    case audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    case absoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    case transportSequence = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

    var path: WritableKeyPath<ExtensionIDs, UInt8?> {
        switch self {
        case .mid: \.mid
        case .streamID: \.streamID
        case .repairedStreamID: \.repairedStreamID
        case .audioLevel: \.audioLevel
        case .absoluteSendTime: \.absoluteSendTime
        case .transportSequence: \.transportSequence
        }
    }
}

/// One a=extmap that we know; `direction` as its writer sees it.
struct ExtensionLine: Equatable {
    var id: UInt8
    var known: KnownExtension
    var direction: Direction?

    /// The same seen from the other side, as an answer has it.
    var answer: String {
        let suffix = direction.map { "/\(Direction(sends: $0.receives, receives: $0.sends).rawValue)" } ?? ""
        return "\(id)\(suffix) \(known.rawValue)"
    }
}

extension SessionDescription.Media {
    /// Those that we know; ids 0 and 15 are reserved, the first of a doubled id or name counts.
    func extensions() -> [ExtensionLine] {
        var found: [ExtensionLine] = []
        for (value, _) in lines.attributes("extmap").prefix(64) {
            let words = value.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 2, let known = KnownExtension(rawValue: String(words[1])) else { continue }
            let parts = words[0].split(separator: "/", maxSplits: 1)
            guard let id = parts.first.flatMap({ UInt8($0) }), id != 0, id != 15 else { continue }
            let direction = parts.count == 2 ? Direction(rawValue: String(parts[1])) : nil
            guard direction != .inactive, !found.contains(where: { $0.id == id || $0.known == known }) else { continue }
            found.append(ExtensionLine(id: id, known: known, direction: direction))
        }
        return found
    }

    /// From our side: what the peer may receive we may send.
    func extensionIDs() -> (send: ExtensionIDs, receive: ExtensionIDs) {
        var (send, receive) = (ExtensionIDs(), ExtensionIDs())
        for line in extensions() {
            if line.direction?.receives ?? true { send[keyPath: line.known.path] = line.id }
            if line.direction?.sends ?? true { receive[keyPath: line.known.path] = line.id }
        }
        return (send, receive)
    }

    static let mostLayers = 8
    static let mostRestrictions = 32

    /// The layers that a simulcast offers to send with this codec, RFC 8853; of alternatives the first.
    /// - Throws: `.malformed` where there are more than `mostLayers`, or more than `mostRestrictions` a=rid.
    func layers(payloadType: UInt8) throws(SDPError) -> [NegotiatedVideo.Layer] {
        guard let (value, number) = lines.firstAttribute("simulcast") else { return [] }
        let words = value.split(separator: " ", omittingEmptySubsequences: true)
        guard let at = words.firstIndex(of: "send"), at + 1 < words.count else { return [] }
        let sendable = try sendableLayers(payloadType: payloadType)
        var found: [NegotiatedVideo.Layer] = []
        for (index, stream) in words[at + 1].split(separator: ";").enumerated() {
            guard index < Self.mostLayers else { throw .malformed(line: number, reason: .tooManyLayers) }
            guard let first = stream.split(separator: ",").first else { continue }
            let isPaused = first.hasPrefix("~")
            let rid = String(isPaused ? first.dropFirst() : first)
            guard sendable.contains(rid), !found.contains(where: { $0.rid == rid }) else { continue }
            found.append(NegotiatedVideo.Layer(rid: rid, isPaused: isPaused))
        }
        return found
    }

    /// What a=rid names for sending and does not tie to other payload types (RFC 8851).
    private func sendableLayers(payloadType: UInt8) throws(SDPError) -> Set<String> {
        var names: Set<String> = []
        for (index, (value, number)) in lines.attributes("rid").enumerated() {
            guard index < Self.mostRestrictions else { throw .malformed(line: number, reason: .tooManyLayers) }
            let words = value.split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[1] == "send", Self.isLayerName(words[0]) else { continue }
            if words.count == 3, let types = words[2].split(separator: ";").first(where: { $0.hasPrefix("pt=") }) {
                guard types.dropFirst(3).split(separator: ",").contains("\(payloadType)") else { continue }
            }
            names.insert(String(words[0]))
        }
        return names
    }

    private static func isLayerName(_ name: Substring) -> Bool {
        (1...16).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 < 128 && Character(UnicodeScalar($0)).isLetter || (48...57).contains($0) || $0 == 45 || $0 == 95 }
    }
}
