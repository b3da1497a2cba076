/// A payload with redundant sound, RFC 2198 §3: what earlier packets had in blocks, then the packet's own sound. Places, no copy.
package struct RedundantAudio {
    /// One earlier packet's sound.
    package struct Block {
        /// How much earlier than the packet it is, in units of the clock, 0 … 16 383.
        package var offset = 0
        package var payload = 0..<0
    }

    /// Blocks before the packet's own. Senders have one or two; more than this is refused.
    package static let mostBlocks = 4
    /// Bytes of what stands for each block, and of what stands for the packet's own sound.
    package static let (head, lastHead) = (4, 1)
    /// Bytes of a block and units of its offset: the fields have ten and fourteen bits.
    package static let (longestBlock, largestOffset) = (1_023, 16_383)

    private var blocks = InlineArray<4, Block>(repeating: Block())
    package private(set) var count = 0
    /// The packet's own sound.
    package private(set) var primary = 0..<0

    package subscript(index: Int) -> Block { blocks[index] }

    /// Blocks of other payload types than `payloadType`, and those without a byte, are left out.
    /// - Throws: `PacketError` where the heads claim more than there is, are too many, or the packet's own sound is of another type.
    package init(parsing payload: RawSpan, payloadType: UInt8) throws(PacketError) {
        var heads = 0
        var last: UInt8 = try payload.bigEndian(at: 0)
        while last & 0x80 != 0 {
            heads += 1
            guard heads <= Self.mostBlocks else { throw .tooMany(.redundancy) }
            last = try payload.bigEndian(at: heads * Self.head)
        }
        guard last == payloadType else { throw .contradiction(.redundancy) }
        var start = heads * Self.head + Self.lastHead
        for index in 0..<heads {
            let type: UInt8 = try payload.bigEndian(at: index * Self.head)
            let field = try payload.bigEndian24(at: index * Self.head + 1)
            let place = try payload.checked(start..<start + Int(field & 0x3ff))
            start = place.upperBound
            guard type & 0x7f == payloadType, !place.isEmpty else { continue }
            blocks[count] = Block(offset: Int(field >> 10), payload: place)
            count += 1
        }
        primary = start..<payload.byteCount
    }

    /// How many packets before its own a block's sound was sent: by its time where that is whole packets, else by order.
    /// - Parameter samples: of the packet's own sound; 0 where that is not known.
    /// - Returns: 1 and more; nil where the block says that it is of the same time.
    package func distance(of index: Int, samples: Int) -> UInt16? {
        let offset = blocks[index].offset
        guard offset > 0 else { return nil }
        guard samples > 0, offset % samples == 0 else { return UInt16(count - index) }
        return UInt16(offset / samples)
    }

    /// Samples at 48 kHz of an Opus packet (RFC 6716 §3.1); 0 where it says none, or more than 120 ms.
    package static func samples(ofOpus packet: RawSpan) -> Int {
        // Too short says nothing, as the answer has it.
        guard let first: UInt8 = try? packet.bigEndian(at: 0) else { return 0 }
        let kind = Int(first >> 3)
        let frame =
            switch kind {
            case ..<12: [480, 960, 1_920, 2_880] as InlineArray<4, Int>
            case ..<16: [480, 960, 480, 960] as InlineArray<4, Int>
            default: [120, 240, 480, 960] as InlineArray<4, Int>
            }
        var frames = 1
        switch first & 3 {
        case 0: break
        case 1, 2: frames = 2
        default:
            // The same.
            guard let second: UInt8 = try? packet.bigEndian(at: 1) else { return 0 }
            frames = Int(second & 0x3f)
        }
        let samples = frame[kind & 3] * frames
        return samples <= 5_760 ? samples : 0
    }
}
