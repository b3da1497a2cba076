import Base
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
        let (ufrag, password) = (home.firstAttribute("ice-ufrag"), home.firstAttribute("ice-pwd"))
        guard let ufrag, let password else {
            throw .malformed(line: (ufrag ?? password)?.number ?? media.number, reason: .unpairedCredentials)
        }
        credentials = ICECredentials(ufrag: ufrag.value, password: password.value)
        guard credentials.isValid else {
            let isFragment = ICECredentials(ufrag: ufrag.value, password: String(repeating: "a", count: 24)).isValid
            throw .malformed(line: isFragment ? password.number : ufrag.number, reason: .credentials)
        }
        fingerprints = try Self.fingerprints(places)
        guard !fingerprints.isEmpty else { throw .insecure(mediaLine: line, reason: .noFingerprint) }
        if let word = places.lazy.compactMap({ $0.firstAttribute("setup") }).first {
            guard let role = SetupRole(rawValue: word.value) else { throw .malformed(line: word.number, reason: .setup) }
            setup = role
        }
        candidates = try Self.candidates(places)
        isLite = description.lines.has("ice-lite")
    }

    private static func fingerprints(_ places: [Lines]) throws(SDPError) -> [Fingerprint] {
        let values = places.lazy.map { $0.attributes("fingerprint") }.first { !$0.isEmpty } ?? []
        var found: [Fingerprint] = []
        for (value, number) in values.prefix(8) {
            do {
                if let fingerprint = try Fingerprint(attribute: value) { found.append(fingerprint) }
            } catch {
                throw .malformed(line: number, reason: .fingerprint)
            }
        }
        return found
    }

    /// At most 32 addresses.
    private static func candidates(_ places: [Lines]) throws(SDPError) -> [TransportAddress] {
        var found: [TransportAddress] = []
        for (value, number) in places.flatMap({ $0.attributes("candidate") }).prefix(256) {
            guard let candidate = Candidate(parsing: value) else { throw .malformed(line: number, reason: .candidate) }
            if let address = candidate.address, !found.contains(address), found.count < 32 { found.append(address) }
        }
        return found
    }
}

extension SessionDescription {
    /// The m-lines of the first BUNDLE group, RFC 9143; nil without a group.
    var bundle: [Int]? {
        let groups = lines.attributes("group")
        guard let group = groups.first(where: { $0.value == "BUNDLE" || $0.value.hasPrefix("BUNDLE ") }) else { return nil }
        let places = Dictionary(media.enumerated().map { ($1.mid, $0) }) { first, _ in first }
        var named: Set<Int> = []
        return group.value.split(separator: " ").dropFirst().compactMap { word in
            places[String(word)].flatMap { named.insert($0).inserted ? $0 : nil }
        }
    }

    /// - Throws: `.malformed` for a doubled or impossible a=mid, or where there is no m-line.
    func checkMediaLines() throws(SDPError) {
        guard !media.isEmpty else { throw .malformed(line: 1, reason: .noMediaLines) }
        var mids: Set<String> = []
        for section in media {
            guard let (mid, number) = section.lines.firstAttribute("mid") else { continue }
            guard (1...32).contains(mid.utf8.count), !mid.contains(" ") else { throw .malformed(line: number, reason: .mid) }
            guard mids.insert(mid).inserted else { throw .malformed(line: number, reason: .duplicateMID) }
        }
    }
}
