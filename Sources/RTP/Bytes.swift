/// Why a datagram is not the packet that it claims to be.
package enum PacketError: Error, Equatable {
    case truncated(needed: Int, have: Int)
    case wrongVersion(UInt8)
    /// A field says what cannot be; names the field.
    case contradiction(StaticField)
    /// More repetitions than any honest sender makes.
    case tooMany(StaticField)

    package enum StaticField: String, Sendable {
        case padding, rtcpLength, feedbackLength, chunk, retransmission, descriptor, bitrate, redundancy
    }
}

extension RawSpan {
    /// The big-endian integer at `offset`. Past the end it throws: it never traps and never reads a neighbour's bytes.
    @inline(__always)
    package func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) throws(PacketError) -> Value {
        let end = offset &+ MemoryLayout<Value>.size
        guard offset >= 0, end <= byteCount else { throw .truncated(needed: end, have: byteCount) }
        return Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// The 24-bit big-endian integer at `offset`.
    package func bigEndian24(at offset: Int) throws(PacketError) -> UInt32 {
        let upper: UInt16 = try bigEndian(at: offset)
        let lower: UInt8 = try bigEndian(at: offset + 2)
        return UInt32(upper) << 8 | UInt32(lower)
    }

    /// A part of this span; a range outside of it throws.
    package func checked(_ range: Range<Int>) throws(PacketError) -> Range<Int> {
        guard range.lowerBound >= 0, range.upperBound <= byteCount else { throw .truncated(needed: range.upperBound, have: byteCount) }
        return range
    }
}

/// Writes packets into a buffer that somebody else owns and reuses. Writing past its end is remembered instead of trapping: ask `overflowed` at the end.
package struct ByteWriter {
    package private(set) var count = 0
    package private(set) var overflowed = false

    package init() {}

    package mutating func append<Value: FixedWidthInteger>(_ value: Value, to buffer: inout MutableSpan<UInt8>) {
        let size = MemoryLayout<Value>.size
        guard count &+ size <= buffer.count else { return overflowed = true }
        for index in 0..<size { buffer[count &+ index] = UInt8(truncatingIfNeeded: value >> Value(8 &* (size &- 1 &- index))) }
        count &+= size
    }

    package mutating func append(_ bytes: Span<UInt8>, to buffer: inout MutableSpan<UInt8>) {
        guard count &+ bytes.count <= buffer.count else { return overflowed = true }
        for index in bytes.indices { buffer[count &+ index] = bytes[index] }
        count &+= bytes.count
    }

    /// Zeros up to the next whole 32-bit word.
    package mutating func pad(to buffer: inout MutableSpan<UInt8>) { while count % 4 != 0, !overflowed { append(UInt8(0), to: &buffer) } }

    /// Overwrites what was written before, for lengths that are known at the end.
    package func patch(_ value: UInt16, at offset: Int, in buffer: inout MutableSpan<UInt8>) {
        guard offset >= 0, offset + 2 <= count else { return }
        buffer[offset] = UInt8(value >> 8)
        buffer[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
