/// Who asks, where reverse proxies stand before the server: what trusted ones say of the connection that came to them.
///
/// Everybody may write these headers, so only the end of a list counts: each proxy appends the address that it saw itself. Read from the end, what
/// trusted proxies wrote is passed over, and the first address that is none of theirs is the client's.
package struct Forwarded: Equatable {
    /// The client's address, without port.
    package var address: String
    /// nil where no trusted proxy says it.
    package var isTLS: Bool?
    /// Elements that are read, from the end.
    static let most = 32

    /// - Parameter peer: the address that the connection came from.
    package init(peer: String, headers: [String: String], trusted: [IPNetwork]) {
        address = peer
        guard !trusted.isEmpty, let own = IPAddress(peer), Self.isTrusted(own, trusted) else { return }
        let list = headers["x-forwarded-for"].map { Self.client(of: Self.plain($0), behind: own, trusted) }
        let standard = headers["forwarded"].map { Self.client(of: Self.elements($0).map { Self.node($0["for"]) }, behind: own, trusted) }
        // A proxy writes one of them and may pass on the other as the client wrote it. Where they differ neither is believed.
        switch (list, standard) {
        case (let one?, nil), (nil, let one?): address = one.description
        case (let one?, let other?) where one == other: address = one.description
        default: break
        }
        let scheme =
            headers["x-forwarded-proto"].flatMap { Self.last($0) } ?? headers["forwarded"].flatMap { Self.elements($0).last?["proto"] }
        switch scheme?.lowercased() {
        case "https"?, "wss"?: isTLS = true
        case "http"?, "ws"?: isTLS = false
        default: break
        }
    }

    private static func isTrusted(_ address: IPAddress, _ trusted: [IPNetwork]) -> Bool { trusted.contains { $0.contains(address) } }

    /// - Parameter nodes: nil for what is no address (`unknown`, `_hidden`, RFC 7239 §6): nothing before it can be believed.
    private static func client(of nodes: [IPAddress?], behind peer: IPAddress, _ trusted: [IPNetwork]) -> IPAddress {
        var found = peer
        for node in nodes.suffix(most).reversed() {
            guard let node else { break }
            found = node
            guard isTrusted(node, trusted) else { break }
        }
        return found
    }

    // MARK: X-Forwarded-For

    private static func plain(_ text: String) -> [IPAddress?] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { node(String($0)) }
    }

    private static func last(_ text: String) -> String? { text.split(separator: ",").last.map { trimmed($0) } }

    /// An address with or without port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
    static func node(_ text: String?) -> IPAddress? {
        guard let text = text.map({ trimmed($0) }) else { return nil }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]"), isPort(text[text.index(after: end)...]) else { return nil }
            let inner = text[text.index(after: text.startIndex)..<end]
            return inner.contains(":") ? IPAddress(inner) : nil
        }
        if let colon = text.firstIndex(of: ":"), text.contains("."), isPort(text[colon...]) { return IPAddress(text[..<colon]) }
        return IPAddress(text)
    }

    /// Nothing, or a colon and a port or an obfuscated one (RFC 7239 §6.2).
    private static func isPort(_ text: Substring) -> Bool {
        if text.isEmpty { return true }
        let port = text.dropFirst()
        guard text.first == ":", !port.isEmpty, port.utf8.count <= 32 else { return false }
        if port.first == "_" { return port.utf8.allSatisfy { nameBytes.contains($0) } }
        return port.utf8.count <= 5 && port.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static let nameBytes = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8)

    private static func trimmed(_ text: some StringProtocol) -> String {
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.first, byte == 0x20 || byte == 0x09 { bytes.removeFirst() }
        while let byte = bytes.last, byte == 0x20 || byte == 0x09 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Forwarded, RFC 7239 §4

    /// The elements, each with its parameters by their names in lower case. One that is no list of parameters is empty: it names nobody.
    static func elements(_ text: String) -> [[String: String]] {
        var elements: [[String: String]] = []
        var current: [String: String] = [:]
        var (isSound, word, name) = (true, [UInt8](), String?.none)
        var (isQuoted, isEscaped) = (false, false)
        func finishPair() {
            let value = trimmed(String(decoding: word, as: UTF8.self))
            if let name {
                let key = trimmed(name).lowercased()
                if key.isEmpty || value.isEmpty || current[key] != nil { isSound = false }
                current[key] = value
            } else if !value.isEmpty {
                isSound = false
            }
            (word, name) = ([], nil)
        }
        func finishElement() {
            finishPair()
            elements.append(isSound ? current : [:])
            (current, isSound) = ([:], true)
        }
        for byte in text.utf8 {
            if isEscaped {
                word.append(byte)
                isEscaped = false
                continue
            }
            switch byte {
            case UInt8(ascii: "\\") where isQuoted: isEscaped = true
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted: finishElement()
            case UInt8(ascii: ";") where !isQuoted: finishPair()
            case UInt8(ascii: "=") where !isQuoted && name == nil: (name, word) = (String(decoding: word, as: UTF8.self), [])
            default: word.append(byte)
            }
        }
        if isQuoted { isSound = false }
        finishElement()
        return elements
    }
}
