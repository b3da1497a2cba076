import Base
import ICE

/// `application/trickle-ice-sdpfrag`, RFC 8840 §9: candidates for a session that exists, or new credentials (RFC 9725 §4.3).
package struct TrickleFragment: Equatable, Sendable {
    package static let maximumBytes = 64 * 1_024
    package static let maximumCandidates = 64

    /// nil where the fragment names none: then the present ones are meant.
    package var credentials: ICECredentials?
    /// Of the first m-line, empty where there is none.
    package var mid = ""
    /// Kind of the first m-line.
    package var kind = "audio"
    /// Of all m-lines: one transport carries everything.
    package var candidates: [Candidate] = []
    package var isComplete = false
    package var isLite = false

    package init(credentials: ICECredentials?, candidates: [Candidate]) { (self.credentials, self.candidates) = (credentials, candidates) }

    /// - Throws: `SDPError.tooLarge` or `.malformed`.
    package init(parsing text: String) throws(SDPError) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLarge(limit: Self.maximumBytes) }
        let rows = try SessionDescription.rows(Array(text.utf8))
        guard !rows.isEmpty else { throw .malformed(line: 1, reason: .empty) }
        var mediaCount = 0
        for row in rows {
            if row.line.type == "m" {
                mediaCount += 1
                guard mediaCount <= SessionDescription.maximumMediaLines else {
                    throw .malformed(line: row.number, reason: .tooManyMediaLines)
                }
                let media = try SessionDescription.Media(parsing: row.line.value, number: row.number)
                if mediaCount == 1 { kind = media.kind }
            } else {
                try read(row.line, number: row.number, isFirst: mediaCount < 2)
            }
        }
        let lines = rows.map(\.line)
        guard lines.has("ice-ufrag") || lines.has("ice-pwd") else { return }
        let (ufrag, password) = (lines.firstAttribute("ice-ufrag"), lines.firstAttribute("ice-pwd"))
        guard let ufrag, let password else {
            throw .malformed(line: (ufrag ?? password)?.number ?? rows[0].number, reason: .unpairedCredentials)
        }
        let pair = ICECredentials(ufrag: ufrag.value, password: password.value)
        guard pair.isValid else { throw .malformed(line: ufrag.number, reason: .credentials) }
        credentials = pair
    }

    private mutating func read(_ line: SessionDescription.Line, number: Int, isFirst: Bool) throws(SDPError) {
        guard line.type == "a" else { return }
        if line.value.hasPrefix("candidate:") {
            guard let candidate = Candidate(parsing: String(line.value.dropFirst("candidate:".count))) else {
                throw .malformed(line: number, reason: .candidate)
            }
            if candidates.count < Self.maximumCandidates { candidates.append(candidate) }
        } else if line.value == "end-of-candidates" {
            isComplete = true
        } else if line.value == "ice-lite" {
            isLite = true
        } else if line.value.hasPrefix("mid:"), isFirst, mid.isEmpty {
            mid = String(line.value.dropFirst(4).prefix(32))
        }
    }

    /// Addresses that can be checked.
    package var addresses: [TransportAddress] { candidates.compactMap(\.address) }
}

extension TrickleFragment: CustomStringConvertible {
    /// The text, lines ended by CR LF.
    package var description: String {
        var words = isLite ? ["a=ice-lite"] : []
        if let credentials { words += ["a=ice-ufrag:\(credentials.ufrag)", "a=ice-pwd:\(credentials.password)"] }
        words.append("m=\(kind) 9 UDP/TLS/RTP/SAVPF 0")
        if !mid.isEmpty { words.append("a=mid:\(mid)") }
        words += candidates.map { "a=candidate:\($0.value)" }
        if isComplete { words.append("a=end-of-candidates") }
        return words.map { $0 + "\r\n" }.joined()
    }
}
