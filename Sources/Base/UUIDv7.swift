import Foundation

/// Identifiers that sort by the time they were made and are unique across nodes: UUID version 7, RFC 9562 §5.7.
package enum UUIDv7 {
    /// - Parameter date: milliseconds since 1970 fill the first 48 bits.
    package static func make(at date: Date, using generator: inout some RandomNumberGenerator) -> UUID {
        let milliseconds = UInt64(min(max(0, date.timeIntervalSince1970 * 1_000), 281_474_976_710_655))
        let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0xfff, using: &generator)
        let low = 0x8000_0000_0000_0000 | generator.next() >> 2
        var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &bytes) {
            $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return UUID(uuid: bytes)
    }

    /// Not above any identifier that is made at this date or later.
    package static func least(at date: Date) -> UUID {
        var zeros = Zeros()
        return make(at: date, using: &zeros)
    }

    private struct Zeros: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0 }
    }

    package static func make(at date: Date) -> UUID {
        var generator = SystemRandomNumberGenerator()
        return make(at: date, using: &generator)
    }
}

extension UUID {
    /// In lower case, as RFC 9562 §4 wants it printed.
    package var text: String { uuidString.lowercased() }
}
