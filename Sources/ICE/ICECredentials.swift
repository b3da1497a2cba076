/// A username fragment and a password, RFC 8445 §5.3. Both are secrets of one session; the password never goes to a log.
package struct ICECredentials: Hashable, Sendable {
    package var ufrag: String
    package var password: String

    /// Takes the words as they are; see `isValid` for what a peer may send.
    package init(ufrag: String, password: String) {
        self.ufrag = ufrag
        self.password = password
    }

    /// Fresh ones: 48 random bits of name and 144 of password (at least 24 and 128 are wanted, RFC 8839 §5.4).
    package static func random(using generator: inout some RandomNumberGenerator) -> ICECredentials {
        ICECredentials(ufrag: word(8, using: &generator), password: word(24, using: &generator))
    }

    package static func random() -> ICECredentials {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// The lengths and characters of RFC 8839 §5.4: 4 to 256 and 22 to 256 of letters, digits, `+` and `/`.
    ///
    /// `-`, `_` and `=` are let through as well, since some stacks use the URL alphabet of base 64 or its padding.
    package var isValid: Bool {
        (4...256).contains(ufrag.utf8.count) && (22...256).contains(password.utf8.count)
            && ufrag.utf8.allSatisfy(Self.isAllowed) && password.utf8.allSatisfy(Self.isAllowed)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func isAllowed(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="): true
        default: false
        }
    }

    private static func word(_ count: Int, using generator: inout some RandomNumberGenerator) -> String {
        String(decoding: (0..<count).map { _ in alphabet[Int(generator.next() & 63)] }, as: UTF8.self)
    }
}

/// A short username fragment as a plain value, to find a session by the ufrag of a binding request without touching the heap.
package struct UsernameFragment: Hashable, Sendable {
    private let first: UInt64
    private let second: UInt64
    private let count: UInt8

    /// - Returns: nil for more than 16 bytes. Our own ufrags have 8, so a longer one is not ours.
    package init?(_ bytes: RawSpan) {
        guard (1...16).contains(bytes.byteCount) else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<bytes.byteCount {
            let byte = UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))  // index is below byteCount
            if index < 8 { words.0 = words.0 << 8 | byte } else { words.1 = words.1 << 8 | byte }
        }
        first = words.0
        second = words.1
        count = UInt8(bytes.byteCount)
    }

    package init?(_ ufrag: String) {
        let bytes = Array(ufrag.utf8)
        self.init(bytes.span.bytes)
    }
}
