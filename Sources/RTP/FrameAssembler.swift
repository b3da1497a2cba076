import Base

/// Puts the RTP payloads of one VP8 stream together to whole frames in decoding order, RFC 7741 §4.
///
/// Out of order is fine; a hole is waited for (NACK mends it) until `patience` is over, then everything up to the next key frame is given up. Before the
/// first key frame, and after a hole, frames that would need what is missing are not handed out.
package struct FrameAssembler: Sendable {
    /// Packets held: a key frame of 1080p and what follows it within a round trip.
    package static let capacity = 512
    package static let largestFrame = 1 << 20
    package static let patience = Duration.milliseconds(500)
    static let (roundTrips, mostPatience) = (6, Duration.milliseconds(1_500))

    package struct Frame: Equatable, Sendable {
        /// 90 kHz, the sender's.
        package var timestamp: UInt32
        package var isKey: Bool
        /// Of a key frame, in pixels; otherwise 0.
        package var width = 0
        package var height = 0
        package var packets = 0
    }

    private static let usualPayload = 1_216

    private struct Slot: Sendable {
        var sequence: Int64 = -1
        var timestamp: UInt32 = 0
        var marker = false
        var startsFrame = false
        var isKeyStart = false
        /// Nothing but padding: it only fills its number.
        var isEmpty = false
        var bytes: [UInt8] = []
    }

    private var slots = [Slot](repeating: Slot(), count: capacity)
    /// The first packet of the frame whose turn is next; nil while a key frame is awaited.
    private var turn: Int64?
    /// While a key frame is awaited: what was before this number has come out or was given up.
    private var past: Int64 = 0
    private var highest: Int64 = -1
    private var stalledSince: Instant?
    /// How long that is waited for on this line.
    private var patience = Self.patience
    /// A key frame is needed to go on; the caller asks the sender for one.
    package private(set) var needsKeyFrame = true
    package private(set) var framesLost: UInt64 = 0
    package private(set) var framesOut: UInt64 = 0
    package private(set) var malformed: UInt64 = 0

    package init() {}

    /// When to call `expire`; nil while nothing is missing.
    package var deadline: Instant? { stalledSince.map { $0 + patience } }

    /// Takes a packet.
    /// - Parameters:
    ///   - payload: descriptor and data; empty where the packet was padding.
    ///   - sequence: unwrapped, of the media stream (RTX undone).
    package mutating func insert(_ payload: Span<UInt8>, sequence: Int64, timestamp: UInt32, marker: Bool, now: Instant) {
        if isPast(sequence) { return }
        // Counted anew: what came under the old numbers is not behind the new ones.
        if turn == nil, sequence < past {
            highest = -1
            past = 0
        }
        if let turn, sequence - turn >= Int64(Self.capacity) { giveUp() }
        highest = max(highest, sequence)
        let place = Int(sequence % Int64(Self.capacity))
        guard slots[place].sequence != sequence else { return }
        // After the last part of a frame nothing of the older packet in this place is of use.
        slots[place].bytes.removeAll(keepingCapacity: true)
        slots[place].sequence = sequence
        (slots[place].timestamp, slots[place].marker, slots[place].isEmpty) = (timestamp, marker, payload.count == 0)
        (slots[place].startsFrame, slots[place].isKeyStart) = (false, false)
        guard payload.count > 0 else { return }
        // Counted as malformed; why does not matter.
        guard let descriptor = try? VP8Descriptor(parsing: payload.bytes) else {
            slots[place].sequence = -1
            return malformed &+= 1
        }
        slots[place].startsFrame = descriptor.startsFrame
        // At once as much as any packet needs: a slot that grows a little at a time allocates for minutes.
        if slots[place].bytes.capacity == 0 { slots[place].bytes.reserveCapacity(Self.usualPayload) }
        payload.withUnsafeBufferPointer { slots[place].bytes.append(contentsOf: $0[descriptor.size...]) }
        if descriptor.startsFrame, let first = slots[place].bytes.first { slots[place].isKeyStart = first & 1 == 0 }
        if slots[place].isKeyStart, turn == nil { turn = sequence }
    }

    /// A repeat that comes after its turn must not bring back an old key frame. A sender that counts anew from far below is another matter.
    private func isPast(_ sequence: Int64) -> Bool {
        if let turn { return sequence < turn }
        return sequence < past && past - sequence < Int64(Self.capacity)
    }

    /// Writes the next whole frame, if there is one. Call until nil after each packet.
    /// - Parameter bytes: replaced by the frame.
    package mutating func next(now: Instant, into bytes: inout [UInt8]) -> Frame? {
        while let first = turn {
            let slot = Int(first % Int64(Self.capacity))
            guard slots[slot].sequence == first else {
                noteStall(now)
                return nil
            }
            if slots[slot].isEmpty || !slots[slot].startsFrame {
                turn = first + 1  // padding, or the rest of a frame whose start was given up
                continue
            }
            guard let last = lastPacket(from: first) else {
                noteStall(now)
                return nil
            }
            turn = last + 1
            stalledSince = nil
            guard let frame = take(first...last, into: &bytes) else { continue }
            return frame
        }
        return nil
    }

    /// Gives up what was waited for too long.
    /// - Parameter roundTrip: of the line; repairs take several.
    /// - Returns: whether a key frame is needed now.
    package mutating func expire(now: Instant, roundTrip: Duration = .zero) -> Bool {
        patience = max(Self.patience, min(Self.mostPatience, roundTrip * Self.roundTrips))
        guard let since = stalledSince, now - since >= patience else { return false }
        giveUp()
        return needsKeyFrame
    }

    /// The missing packets will not come: on to the next key frame.
    package mutating func giveUp() {
        guard let from = turn else { return }
        stalledSince = nil
        framesLost &+= 1
        needsKeyFrame = true
        turn = nil
        past = from
        guard highest > from else { return }
        for sequence in (from + 1)...highest {
            let slot = slots[Int(sequence % Int64(Self.capacity))]
            if slot.sequence == sequence, slot.isKeyStart { return turn = sequence }
        }
    }

    private mutating func noteStall(_ now: Instant) {
        // Nothing after it: the packet is not late, it has not been sent.
        guard let turn, highest >= turn else { return stalledSince = nil }
        if stalledSince == nil { stalledSince = now }
    }

    private func lastPacket(from first: Int64) -> Int64? {
        let timestamp = slots[Int(first % Int64(Self.capacity))].timestamp
        var sequence = first
        while sequence <= highest, sequence - first < Int64(Self.capacity) {
            let place = Int(sequence % Int64(Self.capacity))
            guard slots[place].sequence == sequence else { return nil }
            // A sender that stopped in the middle of a frame and began another: the rest never comes.
            if slots[place].timestamp != timestamp, !slots[place].isEmpty { return sequence - 1 }
            if slots[place].marker { return sequence }
            sequence += 1
        }
        return nil
    }

    private mutating func take(_ range: ClosedRange<Int64>, into bytes: inout [UInt8]) -> Frame? {
        bytes.removeAll(keepingCapacity: true)
        for sequence in range where bytes.count <= Self.largestFrame {
            bytes.append(contentsOf: slots[Int(sequence % Int64(Self.capacity))].bytes)
        }
        let first = slots[Int(range.lowerBound % Int64(Self.capacity))]
        let isWhole = slots[Int(range.upperBound % Int64(Self.capacity))].marker && bytes.count <= Self.largestFrame
        // Counted as malformed; why does not matter.
        guard isWhole, let header = try? VP8FrameHeader(parsing: bytes.span.bytes) else {
            malformed &+= 1
            needsKeyFrame = true
            return nil
        }
        if needsKeyFrame, !header.isKey { return nil }
        needsKeyFrame = false
        framesOut &+= 1
        return Frame(timestamp: first.timestamp, isKey: header.isKey, width: header.width, height: header.height, packets: range.count)
    }
}
