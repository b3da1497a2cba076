/// Puts earlier packets of one encoder before its present one, RFC 2198. What it makes ends with the present packet as it is, so that who takes no redundancy
/// is sent the end of the same bytes. All storage is made at the start.
package struct RedundantAudioWriter: Sendable {
    /// Which packets before the present one go with it again. Two apart, a burst of four packets is whole again from the two after it.
    private static let distances: InlineArray<2, Int64> = [4, 2]
    /// So far back it reaches, in packets.
    package static let reach = 4
    /// Bytes of a payload: with all headers a datagram stays below 1 200.
    package static let largestPayload = 1_100
    /// Room that a payload needs whatever the packets: one that is too long stands alone.
    package static let room = 1_500

    private var kept = InlineArray<4, (number: Int64, length: Int)>(repeating: (-1, 0))
    private var bytes = [UInt8](repeating: 0, count: reach * RedundantAudio.longestBlock)

    package init() {}

    /// Writes `packet` behind what it knows of those before it, and keeps it.
    ///
    /// The heads have no payload types yet: each receiver has its own (`setPayloadType`).
    /// - Parameters:
    ///   - packet: at most `room` bytes.
    ///   - number: counts packets of the encoder; one that is left out is left out here too.
    ///   - samples: of each packet, in units of the clock.
    ///   - payload: room for `room` bytes.
    /// - Returns: bytes before the packet, none where nothing is known of earlier ones, and bytes of all.
    package mutating func write(
        _ packet: Span<UInt8>, number: Int64, samples: Int, into payload: inout MutableSpan<UInt8>
    ) -> (redundancy: Int, length: Int) {
        var chosen = InlineArray<2, Int64>(repeating: 0)
        var (count, total) = (0, packet.count + RedundantAudio.lastHead)
        // The nearer one first, where there is room for one only.
        for index in Self.distances.indices.reversed() {
            let distance = Self.distances[index]
            let earlier = kept[Self.place(number - distance)]
            let added = RedundantAudio.head + earlier.length
            guard number >= distance, earlier.number == number - distance, total + added <= Self.largestPayload,
                Int(distance) * samples <= RedundantAudio.largestOffset
            else { continue }
            (chosen[count], count, total) = (distance, count + 1, total + added)
        }
        var writer = ByteWriter()
        if count > 0 {
            for index in (0..<count).reversed() { writeHead(chosen[index], before: number, samples, with: &writer, to: &payload) }
            writer.append(UInt8(0), to: &payload)
            for index in (0..<count).reversed() {
                let place = Self.place(number - chosen[index])
                let start = place * RedundantAudio.longestBlock
                writer.append(bytes.span.extracting(start..<start + kept[place].length), to: &payload)
            }
        }
        let redundancy = writer.count
        writer.append(packet, to: &payload)
        keep(packet, number)
        return (redundancy, writer.count)
    }

    private func writeHead(
        _ distance: Int64, before number: Int64, _ samples: Int, with writer: inout ByteWriter, to payload: inout MutableSpan<UInt8>
    ) {
        let length = kept[Self.place(number - distance)].length
        writer.append(UInt32(0x8000_0000) | UInt32(Int(distance) * samples) << 10 | UInt32(length), to: &payload)
    }

    private mutating func keep(_ packet: Span<UInt8>, _ number: Int64) {
        let place = Self.place(number)
        guard packet.count > 0, packet.count <= RedundantAudio.longestBlock else { return kept[place] = (-1, 0) }
        kept[place] = (number, packet.count)
        for index in packet.indices { bytes[place &* RedundantAudio.longestBlock &+ index] = packet[index] }
    }

    private static func place(_ number: Int64) -> Int { Int(number & 3) }

    /// Names the payload type of the blocks in the heads at `start`.
    package static func setPayloadType(_ type: UInt8, at start: Int, in packet: inout MutableSpan<UInt8>) {
        var place = start
        while place < packet.count, packet[place] & 0x80 != 0 {
            packet[place] = type | 0x80
            place += RedundantAudio.head
        }
        if place < packet.count { packet[place] = type }
    }
}
