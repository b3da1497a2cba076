/// Why bytes are not the IVF file of VP8 that they claim to be; offsets are of the frame's header.
package enum IVFError: Error, Equatable {
    case truncated(offset: Int)
    case notIVF
    case notVP8
    case badTimebase
    case empty
    case tooLong
}

/// An IVF file of VP8 frames, checked as a whole when it is made; frames are found without a search.
package struct IVFReader: Sendable {
    /// An hour and more at 25 pictures a second.
    static let mostFrames = 100_000

    package struct Frame: Equatable, Sendable {
        /// Where the frame lies in `bytes`.
        package var range: Range<Int>
        /// When it is shown, in `timebase` units.
        package var timestamp: UInt64
    }

    package let bytes: [UInt8]
    package let width: Int
    package let height: Int
    /// One unit of the timestamps is `numerator / denominator` seconds.
    package let timebase: (numerator: Int, denominator: Int)
    package let frames: [Frame]

    /// - Throws: `IVFError`; a last frame that is cut off is an error too.
    package init(parsing bytes: [UInt8]) throws(IVFError) {
        let file = bytes.span.bytes
        guard file.byteCount >= 32 else { throw .truncated(offset: 0) }
        guard Self.word(file, 0) == 0x4649_4b44, Self.half(file, 4) == 0 else { throw .notIVF }
        guard Self.word(file, 8) == 0x3038_5056 else { throw .notVP8 }
        (width, height) = (Self.half(file, 12), Self.half(file, 14))
        timebase = (numerator: Self.word(file, 20), denominator: Self.word(file, 16))
        guard timebase.numerator > 0, timebase.denominator > 0 else { throw .badTimebase }
        frames = try Self.frames(file, from: Self.half(file, 6))
        self.bytes = bytes
    }

    package var count: Int { frames.count }

    /// - Parameter index: counted from 0 and around: after the last frame the first comes again.
    package func frame(_ index: Int) -> (bytes: ArraySlice<UInt8>, timestamp: UInt64) {
        let frame = frames[(index % count + count) % count]
        return (bytes[frame.range], frame.timestamp)
    }

    /// The same without a copy or a reference.
    package func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        let range = frames[(index % count + count) % count].range
        return try body(bytes.span.extracting(range))
    }

    private static func frames(_ file: RawSpan, from start: Int) throws(IVFError) -> [Frame] {
        guard start >= 32 else { throw .notIVF }
        var (frames, place): ([Frame], Int) = ([], start)
        while place < file.byteCount {
            guard place + 12 <= file.byteCount else { throw .truncated(offset: place) }
            let body = (place + 12)..<(place + 12 + word(file, place))
            guard body.upperBound <= file.byteCount else { throw .truncated(offset: place) }
            guard frames.count < mostFrames else { throw .tooLong }
            let timestamp = UInt64(word(file, place + 4)) | UInt64(word(file, place + 8)) << 32
            frames.append(Frame(range: body, timestamp: timestamp))
            place = body.upperBound
        }
        guard !frames.isEmpty else { throw .empty }
        return frames
    }

    /// Little-endian; checked by the span itself.
    private static func word(_ file: RawSpan, _ offset: Int) -> Int {
        Int(UInt32(littleEndian: file.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    private static func half(_ file: RawSpan, _ offset: Int) -> Int {
        Int(UInt16(littleEndian: file.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }
}
