extension TransportAddress {
    /// Where a TCP connection is: the other side's address, and by which of our connections. Takes the place of the own address, which a connection knows
    /// by itself: so one is compared, kept and proven like any address, and is none of UDP.
    package static let mostStreams = 0x7fff
    private static let streamMark: UInt16 = 0x8000

    /// - Parameter number: of the connection, below `mostStreams`.
    package func ofStream(_ number: Int) -> TransportAddress {
        var address = self
        address.local = Self.streamMark | UInt16(truncatingIfNeeded: number & Self.mostStreams)
        return address
    }

    package var isStream: Bool { local & Self.streamMark != 0 }

    /// The number of the connection; nil for an address of UDP.
    package var stream: Int? { isStream ? Int(local & ~Self.streamMark) : nil }
}
