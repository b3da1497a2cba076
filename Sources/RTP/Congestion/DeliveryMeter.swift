import Base

/// How many bits a second arrive at the receiver, by its own clock, over the last half second; and what leaves here, by ours.
package struct DeliveryMeter: Sendable {
    private static let slot = Duration.milliseconds(50)
    private static let slots = 10
    private var bytes = InlineArray<10, Int>(repeating: 0)
    private var present: Int64?
    private var first: Int64 = 0

    package init() {}

    package mutating func add(bytes count: Int, at time: Instant) {
        let index = Int64((Double(time.nanoseconds) / Double(Self.slot.nanoseconds)).rounded(.down))
        guard let last = present else {
            (present, first) = (index, index)
            return bytes[Self.place(index)] = count
        }
        // A clock that jumps begins anew; a late packet of a moment ago counts where it belongs.
        if abs(index &- last) > 200 {
            self = DeliveryMeter()
            return add(bytes: count, at: time)
        }
        if index > last {
            for step in 1...min(index - last, Int64(Self.slots)) { bytes[Self.place(index + 1 - step)] = 0 }
            present = index
        } else if last - index >= Int64(Self.slots) {
            return
        }
        bytes[Self.place(index)] += count
    }

    private static func place(_ index: Int64) -> Int { Int(((index % Int64(slots)) + Int64(slots)) % Int64(slots)) }

    /// nil before a quarter of a second is known. The slot in the making is left out.
    /// - Parameter slots: how far back, in steps of 50 ms, 10 at the most.
    package func bitsPerSecond(over wanted: Int = 9) -> Double? {
        guard let present else { return nil }
        let span = min(Int64(min(wanted, Self.slots - 1)), present - first)
        guard span >= min(5, Int64(wanted)) else { return nil }
        var sum = 0
        for step in 1...span { sum += bytes[Self.place(present - step)] }
        return Double(sum * 8) / (Double(span) * Self.slot.seconds)
    }
}
