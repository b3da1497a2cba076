/// Takes the chunked coding (RFC 9112 §7.1) off a body, piece by piece as it comes. Extensions and trailers are read and dropped, within a bound.
struct ChunkedBody {
    enum Outcome: Equatable {
        case more
        /// The last line ended with the byte before this one of those that were given.
        case done(Int)
        case tooLarge, malformed
    }
    private enum State { case size, blank, wish, sizeEnd, data, dataReturn, dataEnd, line, trailer, lineEnd, lastEnd, done }

    /// Bytes of extensions and trailers together that are read.
    static let mostBesides = 8 * 1_024
    /// Bytes of the body.
    let limit: Int
    private var state = State.size
    private var size = 0
    private var digits = 0
    private var besides = 0

    init(limit: Int) { self.limit = limit }

    /// - Parameter body: what the chunks carry is appended; never more than `limit` bytes in all.
    /// - Returns: `.done` behind the last line end: what follows it in `bytes` is the next request's.
    mutating func take(_ bytes: UnsafeRawBufferPointer, into body: inout [UInt8]) -> Outcome {
        var rest = bytes[...]
        while let byte = rest.first {
            if state == .data {
                let part = rest.prefix(size)
                body.append(contentsOf: part)
                size -= part.count
                rest = rest.dropFirst(part.count)
                if size == 0 { state = .dataReturn }
                continue
            }
            rest = rest.dropFirst()
            guard let outcome = step(byte, body.count) else { continue }
            if case .done = outcome { return .done(rest.startIndex) }
            return outcome
        }
        return .more
    }

    /// One byte that is not data. A line ends with CR LF and nothing else: what takes a bare LF for an end reads other requests than its neighbour.
    private mutating func step(_ byte: UInt8, _ have: Int) -> Outcome? {
        let (isReturn, isFeed) = (byte == 0x0d, byte == 0x0a)
        switch state {
        case .size:
            if let digit = Self.value(byte), digits < 8 {
                (size, digits) = (size << 4 | digit, digits + 1)
                return size > limit - have ? .tooLarge : nil
            }
            guard digits > 0 else { return .malformed }
            if isReturn {
                state = .sizeEnd
                return nil
            }
            return extend(byte)
        case .blank: return extend(byte)
        case .wish: return pass(byte, at: .sizeEnd)
        case .sizeEnd:
            guard isFeed else { return .malformed }
            state = size == 0 ? .line : .data
        case .dataReturn:
            guard isReturn else { return .malformed }
            state = .dataEnd
        case .dataEnd:
            guard isFeed else { return .malformed }
            (state, size, digits) = (.size, 0, 0)
        case .line:
            if isReturn {
                state = .lastEnd
                return nil
            }
            state = .trailer
            return pass(byte, at: .lineEnd)
        case .trailer: return pass(byte, at: .lineEnd)
        case .lineEnd:
            guard isFeed else { return .malformed }
            state = .line
        case .lastEnd:
            guard isFeed else { return .malformed }
            state = .done
            return .done(0)
        case .data, .done: return .malformed
        }
        return nil
    }

    /// An extension begins, perhaps after blanks (§7.1.1).
    private mutating func extend(_ byte: UInt8) -> Outcome? {
        besides += 1
        guard besides <= Self.mostBesides else { return .malformed }
        switch byte {
        case UInt8(ascii: ";"): state = .wish
        case 0x20, 0x09: state = .blank
        default: return .malformed
        }
        return nil
    }

    /// Something that is read and not used, up to its CR.
    private mutating func pass(_ byte: UInt8, at end: State) -> Outcome? {
        besides += 1
        guard byte != 0x0a, byte != 0, besides <= Self.mostBesides else { return .malformed }
        if byte == 0x0d { state = end }
        return nil
    }

    private static func value(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }
}
