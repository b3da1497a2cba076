import ICE

/// ICE and DTLS of the peer for one m-line: its own lines, else the bundle's tagged m-line's, else the session's.
struct RemoteTransport {
    var credentials: ICECredentials
    var fingerprints: [Fingerprint]
    var setup: SetupRole?
    var candidates: [TransportAddress]
    var isLite: Bool

    init(_ description: SessionDescription, line: Int, tag: Int) throws(SDPError) {
        let media = description.media[line]
        let places = [media.lines, description.media[tag].lines, description.lines]
        guard let home = places.first(where: { $0.has("ice-ufrag") || $0.has("ice-pwd") }) else {
            throw .insecure(mediaLine: line, reason: .noICECredentials)
        }
        guard let ufrag = home.attribute("ice-ufrag"), let password = home.attribute("ice-pwd") else {
            throw .malformed(line: media.number, reason: .unpairedCredentials)
        }
        credentials = ICECredentials(ufrag: ufrag, password: password)
        guard credentials.isValid else { throw .malformed(line: media.number, reason: .credentials) }
        fingerprints = try Self.fingerprints(places, number: media.number)
        guard !fingerprints.isEmpty else { throw .insecure(mediaLine: line, reason: .noFingerprint) }
        if let word = places.lazy.compactMap({ $0.attribute("setup") }).first {
            guard let role = SetupRole(rawValue: word) else { throw .malformed(line: media.number, reason: .setup) }
            setup = role
        }
        candidates = try Self.candidates(places, number: media.number)
        isLite = description.lines.has("ice-lite")
    }

    private static func fingerprints(_ places: [Lines], number: Int) throws(SDPError) -> [Fingerprint] {
        let values = places.lazy.map { $0.attributes("fingerprint") }.first { !$0.isEmpty } ?? []
        var found: [Fingerprint] = []
        for value in values.prefix(8) {
            do {
                if let fingerprint = try Fingerprint(attribute: value) { found.append(fingerprint) }
            } catch {
                throw .malformed(line: number, reason: .fingerprint)
            }
        }
        return found
    }

    /// At most 32 addresses.
    private static func candidates(_ places: [Lines], number: Int) throws(SDPError) -> [TransportAddress] {
        var found: [TransportAddress] = []
        for value in places.flatMap({ $0.attributes("candidate") }).prefix(256) {
            guard let candidate = Candidate(parsing: value) else { throw .malformed(line: number, reason: .candidate) }
            if let address = candidate.address, !found.contains(address), found.count < 32 { found.append(address) }
        }
        return found
    }
}

extension SessionDescription {
    /// The m-lines of the first BUNDLE group, RFC 9143; nil without a group.
    var bundle: [Int]? {
        guard let group = lines.attributes("group").first(where: { $0 == "BUNDLE" || $0.hasPrefix("BUNDLE ") }) else { return nil }
        return group.split(separator: " ").dropFirst().compactMap { word in media.firstIndex { $0.mid == word } }
    }

    /// - Throws: `.malformed` for a doubled or impossible a=mid, or where there is no m-line.
    func checkMediaLines() throws(SDPError) {
        guard !media.isEmpty else { throw .malformed(line: 1, reason: .noMediaLines) }
        var mids: Set<String> = []
        for section in media where section.lines.has("mid") {
            guard (1...32).contains(section.mid.utf8.count), !section.mid.contains(" ") else {
                throw .malformed(line: section.number, reason: .mid)
            }
            guard mids.insert(section.mid).inserted else { throw .malformed(line: section.number, reason: .duplicateMID) }
        }
    }
}
