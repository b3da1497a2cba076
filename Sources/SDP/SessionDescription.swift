/// A session description, RFC 8866, as lines under a session and its m-lines. Lines that nobody here knows are kept and printed again in
/// their place; what they mean is read on demand (`SessionDescription+Reading.swift`).
package struct SessionDescription: Equatable, Sendable {
    package static let maximumBytes = 256 * 1_024
    static let maximumLines = 8_192
    static let maximumLineBytes = 8_192
    package static let maximumMediaLines = 32

    /// One line: its letter, and all that follows the equals sign.
    package struct Line: Equatable, Sendable {
        package var type: Character
        package var value: String
        /// Where it stood in the text, from 1, for messages; 0 where it was made here.
        package var number = 0

        package init(_ type: Character, _ value: String) { (self.type, self.value) = (type, value) }

        package static func == (left: Line, right: Line) -> Bool { left.type == right.type && left.value == right.value }
    }

    /// An m-line and what stands under it.
    package struct Media: Equatable, Sendable {
        package var kind: String
        package var port: UInt16
        /// After a slash; nearly never there.
        package var portCount: Int?
        package var protocolName: String
        /// Payload types for RTP, as words.
        package var formats: [String]
        package var lines: [Line] = []
        /// Where it stood in the text, from 1, for messages; 0 where it was made here.
        package var number = 0

        package static func == (left: Media, right: Media) -> Bool {
            left.kind == right.kind && left.port == right.port && left.portCount == right.portCount
                && left.protocolName == right.protocolName && left.formats == right.formats && left.lines == right.lines
        }
    }

    /// From the v-line on.
    package var lines: [Line]
    package var media: [Media]

    package init(lines: [Line], media: [Media]) { (self.lines, self.media) = (lines, media) }

    /// - Throws: `SDPError.tooLarge` or `.malformed`.
    package init(parsing text: String) throws(SDPError) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLarge(limit: Self.maximumBytes) }
        let rows = try Self.rows(Array(text.utf8))
        guard !rows.isEmpty else { throw .malformed(line: 1, reason: .empty) }
        (lines, media) = ([], [])
        for row in rows {
            if row.line.type == "m" {
                guard media.count < Self.maximumMediaLines else { throw .malformed(line: row.number, reason: .tooManyMediaLines) }
                media.append(try Media(parsing: row.line.value, number: row.number))
            } else if media.isEmpty {
                lines.append(row.line)
            } else {
                media[media.count - 1].lines.append(row.line)
            }
        }
        guard rows[0].line == Line("v", "0") else { throw .malformed(line: rows[0].number, reason: .missingVersion) }
        guard lines.count > 1, lines[1].type == "o", lines[1].value.split(separator: " ").count == 6 else {
            throw .malformed(line: rows.count > 1 ? rows[1].number : 1, reason: .missingOrigin)
        }
    }

    /// - Parameter bytes: the body of a request, UTF-8.
    package init(parsing bytes: [UInt8]) throws(SDPError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge(limit: Self.maximumBytes) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed(line: 1, reason: .notText) }
        try self.init(parsing: text)
    }

    /// Splits at LF, CR LF; empty lines are skipped, since copying by hand makes them.
    static func rows(_ bytes: [UInt8]) throws(SDPError) -> [(number: Int, line: Line)] {
        var rows: [(number: Int, line: Line)] = []
        var number = 0
        for row in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let content = row.last == UInt8(ascii: "\r") ? row.dropLast() : row
            if content.isEmpty { continue }
            guard content.count <= maximumLineBytes else { throw .malformed(line: number, reason: .lineTooLong) }
            guard rows.count < maximumLines else { throw .malformed(line: number, reason: .tooManyLines) }
            guard content.count >= 2, let letter = content.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter),
                content.dropFirst().first == UInt8(ascii: "="), !content.contains(0), !content.contains(13)
            else { throw .malformed(line: number, reason: .notTypeAndValue) }
            var line = Line(Character(UnicodeScalar(letter)), String(decoding: content.dropFirst(2), as: UTF8.self))
            line.number = number
            rows.append((number, line))
        }
        return rows
    }
}

extension SessionDescription.Media {
    init(parsing value: String, number: Int) throws(SDPError) {
        let words = value.split(separator: " ", omittingEmptySubsequences: true)
        let numbers = words.count > 1 ? words[1].split(separator: "/", omittingEmptySubsequences: false) : []
        guard words.count >= 4, words.count <= 132, let port = numbers.first.flatMap({ UInt16($0) }), numbers.count <= 2 else {
            throw .malformed(line: number, reason: .mediaLine)
        }
        if numbers.count == 2 {
            guard let count = Int(numbers[1]), count > 0 else { throw .malformed(line: number, reason: .mediaLine) }
            portCount = count
        }
        kind = String(words[0])
        self.port = port
        protocolName = String(words[2])
        formats = words[3...].map(String.init)
        self.number = number
    }
}

extension SessionDescription: CustomStringConvertible {
    /// The text, lines ended by CR LF.
    package var description: String {
        var text = ""
        for line in lines { text += "\(line.type)=\(line.value)\r\n" }
        for section in media {
            let port = section.portCount.map { "\(section.port)/\($0)" } ?? "\(section.port)"
            text += "m=\(section.kind) \(port) \(section.protocolName) \(section.formats.joined(separator: " "))\r\n"
            for line in section.lines { text += "\(line.type)=\(line.value)\r\n" }
        }
        return text
    }
}
