/// One packet's worth of bytes in which packets are made and sealed, one after the other: nothing is allocated.
struct SealingRoom: ~Copyable {
    static let size = 1_500
    private var bytes = [UInt8](repeating: 0, count: size)

    /// - Parameter make: writes the packet and seals it; its length, or nil where there is none.
    mutating func send(
        _ make: (inout MutableSpan<UInt8>) -> Int?, _ send: (Span<UInt8>) -> Void
    ) {
        var span = bytes.mutableSpan
        guard let length = make(&span), length <= Self.size else { return }
        send(bytes.span.extracting(first: length))
    }
}
