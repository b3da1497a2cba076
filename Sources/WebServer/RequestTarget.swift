/// What a request asks for: path and query, decoded (RFC 9112 §3.2, RFC 3986).
struct RequestTarget {
    /// Begins with "/", or is "*". Percent-decoded, without `.`, `..` and empty segments.
    var path: String
    /// In order of appearance, percent-decoded; `+` is a blank, as forms write it.
    var query: [(name: String, value: String)]

    static let mostQueryItems = 256

    init(_ target: String, method: String) throws(Refusal) {
        guard !target.utf8.contains(UInt8(ascii: "#")) else { throw .badRequest(.encoding) }
        if target == "*", method == "OPTIONS" {
            (path, query) = ("*", [])
            return
        }
        let parts = try Self.origin(target).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = try Self.normal(Self.decoded(parts[0]))
        query = []
        guard parts.count == 2 else { return }
        for item in parts[1].split(separator: "&") {
            guard query.count < Self.mostQueryItems else { throw .badRequest(.encoding) }
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard !pair[0].isEmpty else { continue }
            query.append((try Self.decoded(pair[0], plusIsBlank: true), try pair.count > 1 ? Self.decoded(pair[1], plusIsBlank: true) : ""))
        }
    }

    /// The absolute form, which only proxies are sent, names its host again; here it is read as the rest of it (RFC 9112 §3.2.2).
    private static func origin(_ target: String) throws(Refusal) -> Substring {
        if target.hasPrefix("/") { return target[...] }
        let lower = target.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://"), let slashes = target.firstRange(of: "//") else {
            throw .badRequest(.requestLine)
        }
        let rest = target[slashes.upperBound...]
        guard let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
        return rest[end] == "/" ? rest[end...] : "/" + rest[end...]
    }

    private static func decoded(_ text: some StringProtocol, plusIsBlank: Bool = false) throws(Refusal) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue), high << 4 | low != 0 else {
                    throw .badRequest(.encoding)
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsBlank: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .badRequest(.encoding) }
        return decoded
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// Dot segments are taken out behind the decoding, so that no spelling of them is left (RFC 3986 §5.2.4).
    private static func normal(_ path: String) -> String {
        var kept: [Substring] = []
        var endsWithSlash = false
        for segment in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            endsWithSlash = segment.isEmpty || segment == "." || segment == ".."
            switch segment {
            case "", ".": break
            case "..": _ = kept.popLast()
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/") + (endsWithSlash && !kept.isEmpty ? "/" : "")
    }
}
