/// The request line and the header fields of a request, read to the letter (RFC 9112 §2 to §5): what another reader could take for something else is
/// refused, never mended. Pure: `HeadScanner` finds the end, this reads what is before it.
struct RequestHead: Equatable {
    struct Field: Equatable {
        /// In lower case.
        var name: String
        /// Without the blanks around it.
        var value: String
    }
    var method: String
    /// As it was sent.
    var target: String
    /// 1.0 or 1.1; a later 1.x counts as 1.1.
    var isHTTP11: Bool
    var fields: [Field]

    static let mostFields = 128

    /// - Parameter bytes: up to and with the empty line; `HeadScanner` has passed them.
    init(_ bytes: [UInt8]) throws(Refusal) {
        // The scanner leaves no CR without LF and no LF without CR.
        var lines = bytes.split(separator: 0x0d, omittingEmptySubsequences: false).map { $0.first == 0x0a ? $0.dropFirst() : $0 }
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard let first = lines.first else { throw .badRequest(.requestLine) }
        (method, target, isHTTP11) = try Self.requestLine(first)
        guard lines.count - 1 <= Self.mostFields else { throw .headTooLarge }
        fields = []
        fields.reserveCapacity(lines.count - 1)
        for line in lines.dropFirst() { fields.append(try Self.field(line)) }
        let hosts = fields.filter { $0.name == "host" }
        guard hosts.count == 1 || hosts.isEmpty && !isHTTP11, hosts.allSatisfy({ Self.isHost($0.value) }) else { throw .badRequest(.host) }
    }

    /// `method SP request-target SP HTTP-version`, with single blanks (§3).
    private static func requestLine(_ line: ArraySlice<UInt8>) throws(Refusal) -> (String, String, Bool) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isTokenByte), !parts[1].isEmpty, !parts[1].contains(0x09) else {
            throw .badRequest(.requestLine)
        }
        let version = Array(parts[2])
        guard version.count == 8, version.starts(with: Array("HTTP/".utf8)), isDigit(version[5]), version[6] == 0x2e, isDigit(version[7])
        else {
            throw .badRequest(.requestLine)
        }
        guard version[5] == UInt8(ascii: "1") else { throw .versionUnknown }
        guard let target = String(validating: parts[1], as: UTF8.self) else { throw .badRequest(.encoding) }
        return (String(decoding: parts[0], as: UTF8.self), target, version[7] != UInt8(ascii: "0"))
    }

    /// `field-name ":" OWS field-value OWS`: no blank before the colon, no line that goes on with the one before (§5.1, §5.2).
    private static func field(_ line: ArraySlice<UInt8>) throws(Refusal) -> Field {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex, line[..<colon].allSatisfy(isTokenByte) else {
            throw .badRequest(.framing)
        }
        var value = line[(colon + 1)...]
        while let byte = value.first, byte == 0x20 || byte == 0x09 { value.removeFirst() }
        while let byte = value.last, byte == 0x20 || byte == 0x09 { value.removeLast() }
        return Field(name: String(decoding: line[..<colon], as: UTF8.self).lowercased(), value: String(decoding: value, as: UTF8.self))
    }

    /// `uri-host [ ":" port ]`, or nothing (§3.2): addresses are made of it.
    private static func isHost(_ value: String) -> Bool {
        value.utf8.allSatisfy { isTokenByte($0) && $0 != UInt8(ascii: "#") || [0x3a, 0x5b, 0x5d].contains($0) }
    }

    /// `tchar`, RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool { tokenBytes[Int(byte)] }
    private static let tokenBytes: [Bool] = (0..<256).map { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || "!#$%&'*+-.^_`|~".utf8.contains(UInt8(byte))
    }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension RequestHead {
    /// Fields that say one thing: twice is two readings.
    private static let single: Set<String> = [
        "authorization", "content-type", "origin", "sec-websocket-key", "sec-websocket-version", "expect",
    ]

    /// The fields by name; those that are lists put together in the order in which they came (RFC 9110 §5.3).
    func headers() throws(Refusal) -> [String: String] {
        var headers: [String: String] = [:]
        for field in fields {
            guard let before = headers[field.name] else {
                headers[field.name] = field.value
                continue
            }
            if field.name == "content-length" || field.name == "transfer-encoding" { throw .badRequest(.framing) }
            if Self.single.contains(field.name) { throw .badRequest(.twice) }
            headers[field.name] = before + (field.name == "cookie" ? "; " : ", ") + field.value
        }
        return headers
    }
}

/// Finds the end of a request's head as its bytes come, and refuses at once what no head has: a bare CR or LF (another reader may end a line there),
/// other control characters, too many bytes.
struct HeadScanner {
    enum Outcome: Equatable {
        case more
        /// The head ends before this byte of those that were given.
        case end(Int)
        case refused(Refusal)
    }
    let limit: Int
    private var count = 0
    private var last: UInt8 = 0
    /// Of CR LF CR LF.
    private var matched = 0
    private var emptyLines = 0

    init(limit: Int) { self.limit = limit }

    /// Whether a byte of a request, other than of empty lines before it, has come.
    var hasBegun: Bool { count > 0 }

    /// - Parameter head: what belongs to the head is appended.
    mutating func take(_ bytes: UnsafeRawBufferPointer, into head: inout [UInt8]) -> Outcome {
        for (index, byte) in bytes.enumerated() {
            guard (byte == 0x0a) == (last == 0x0d), byte >= 0x20 && byte != 0x7f || [0x0d, 0x0a, 0x09].contains(byte) else {
                return .refused(.badRequest(.framing))
            }
            last = byte
            // An empty line or two before a request are forgiven: some clients end a body with one (§2.2).
            if count == 0, byte == 0x0d || byte == 0x0a {
                emptyLines += 1
                guard emptyLines <= 4 else { return .refused(.badRequest(.requestLine)) }
                continue
            }
            count += 1
            guard count <= limit else { return .refused(.headTooLarge) }
            head.append(byte)
            matched = byte == 0x0d || byte == 0x0a ? matched + 1 : 0
            if matched == 4 { return .end(index + 1) }
        }
        return .more
    }
}
