/// Big-endian words, to read and write packets by hand.
extension [UInt8] {
    func word(at offset: Int) -> UInt32 { self[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }

    mutating func append(word: UInt32) { for shift in [24, 16, 8, 0] as [UInt32] { append(UInt8(truncatingIfNeeded: word >> shift)) } }
}
