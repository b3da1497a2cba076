extension TransportAddress {
    /// A literal address, without names: `192.0.2.1` or `2001:db8::1` (also with an IPv4 tail; no zone, no brackets).
    /// - Returns: nil where `host` is something else, such as an mDNS name.
    package init?(host: some StringProtocol, port: UInt16) {
        guard host.utf8.count <= 45 else { return nil }  // the longest form of an IPv6 address
        if host.utf8.contains(UInt8(ascii: ":")) {
            guard let (high, low) = Self.parseIPv6(Array(host.utf8)) else { return nil }
            self.init(ipv6High: high, low: low, port: port)
        } else {
            guard let ipv4 = Self.parseIPv4(Array(host.utf8)[...]) else { return nil }
            self.init(ipv4: ipv4, port: port)
        }
    }

    /// `192.0.2.1:5000` or `[2001:db8::1]:5000`; without a port, `defaultPort` where one is given.
    package init?(_ text: String, defaultPort: UInt16? = nil) {
        var host = text[...]
        var portText: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            guard host.utf8.contains(UInt8(ascii: ":")) else { return nil }
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":"), text[text.index(after: colon)...].firstIndex(of: ":") == nil {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        if let portText {
            guard let port = UInt16(portText), portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
            self.init(host: host, port: port)
        } else {
            guard let defaultPort else { return nil }
            self.init(host: host, port: defaultPort)
        }
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count) else { return nil }
            var octet: UInt32 = 0
            for digit in part {
                guard digit >= 48, digit <= 57 else { return nil }
                octet = octet * 10 + UInt32(digit - 48)
            }
            guard octet <= 255 else { return nil }
            value = value << 8 | octet
        }
        return value
    }

    private static func parseIPv6(_ text: [UInt8]) -> (UInt64, UInt64)? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text[...]
        if rest.starts(with: [58, 58]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            guard groups.count < 8 else { return nil }
            let end = rest.firstIndex(of: 58) ?? rest.endIndex
            let part = rest[rest.startIndex..<end]
            if end == rest.endIndex, part.contains(UInt8(ascii: ".")) {
                guard let tail = parseIPv4(part) else { return nil }
                groups += [UInt16(tail >> 16), UInt16(truncatingIfNeeded: tail)]
                break
            }
            guard let group = parseGroup(part) else { return nil }
            groups.append(group)
            guard end < rest.endIndex else { break }
            rest = rest[(end + 1)...]
            if rest.first == 58 {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil  // a single colon at the end
            }
        }
        return assemble(groups, gap: gap)
    }

    private static func parseGroup(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for character in text {
            guard let digit = Character(UnicodeScalar(character)).hexDigitValue, character < 128 else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    private static func assemble(_ groups: [UInt16], gap: Int?) -> (UInt64, UInt64)? {
        var all = groups
        if let gap {
            guard groups.count < 8 else { return nil }
            all.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard all.count == 8 else { return nil }
        let join = { (part: ArraySlice<UInt16>) in part.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        return (join(all[..<4]), join(all[4...]))
    }
}
