import Base
import Foundation
import RTP

/// VP8 frames in a loop, read once and shared by all endpoints that send the same.
package final class EncodedPictures: Sendable {
    /// Longest file that is read, 64 MiB.
    static let mostBytes = 64 << 20
    static let mostFrames = 100_000
    private let bytes: [UInt8]
    private let ranges: [Range<Int>]
    private let keys: [Bool]
    /// Of one frame.
    let interval: Duration

    /// Marks: the loop keeps step with the seconds of the machine's clock.
    let isAligned: Bool

    /// Of the first key frame (RFC 6386 §9.1), in pixels.
    var width: Int { side(6) }
    var height: Int { side(8) }
    private func side(_ offset: Int) -> Int {
        guard let first = ranges.first, first.count > 9 else { return 0 }
        return Int(bytes[first.lowerBound + offset]) | Int(bytes[first.lowerBound + offset + 1] & 0x3f) << 8
    }
    /// Over the whole loop.
    var bitsPerSecond: Int { Int(Double(ranges.reduce(0) { $0 + $1.count }) * 8 / (Double(count) * interval.seconds)) }

    /// The same on the line, in packets with their headers.
    var lineBitsPerSecond: Int {
        let packets = ranges.reduce(0) { $0 + ($1.count + PacketisedFrame.largestPayload - 1) / PacketisedFrame.largestPayload }
        return bitsPerSecond + Int(Double(packets * EncodedSound.headerBytes * 8) / (Double(count) * interval.seconds))
    }

    var count: Int { ranges.count }
    func isKey(_ index: Int) -> Bool { keys[index] }
    subscript(index: Int) -> ArraySlice<UInt8> { bytes[ranges[index]] }

    /// - Parameter bytes: an IVF file: 32 bytes of header, then frames of 12 bytes of header and the frame, all little-endian.
    /// - Throws: what is wrong with it, in words; a cut last frame is left out.
    init(ivf bytes: [UInt8]) throws(IVFFault) {
        func number(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
        guard bytes.count > 44, bytes.starts(with: Array("DKIF".utf8)) else { throw .notIVF }
        guard Array(bytes[8..<12]) == Array("VP80".utf8) else { throw .notVP8 }
        let (rate, scale) = (number(16), number(20))
        guard rate > 0, scale > 0, (1...120).contains(rate / scale) else { throw .frameRate }
        var ranges: [Range<Int>] = []
        var offset = 32
        while offset + 12 < bytes.count {
            let end = offset + 12 + number(offset)
            guard end > offset + 12, end <= bytes.count else { break }
            guard ranges.count < Self.mostFrames else { throw .tooLong }
            ranges.append(offset + 12..<end)
            offset = end
        }
        // Bit 0 of a VP8 frame is clear in key frames (RFC 6386 §9.1).
        keys = ranges.map { bytes[$0.lowerBound] & 1 == 0 }
        guard keys.first == true else { throw .noKeyFrame }
        (self.bytes, self.ranges) = (bytes, ranges)
        isAligned = false
        interval = .nanoseconds(1_000_000_000 * Int64(scale) / Int64(rate))
    }

    /// - Returns: nil where nothing is to be sent.
    /// - Parameter label: the name on the pattern.
    package static func make(_ pictures: EndpointOptions.Pictures, label: String) throws(CommandFailure) -> EncodedPictures? {
        switch pictures {
        case .none: return nil
        case .file(let path): return try read(path)
        case .pattern: return try PictureLoop.moving(label)
        case .colour(let rgb): return try PictureLoop.still(rgb)
        case .marks: return try PictureLoop.marks(label)
        }
    }

    /// Frames of which the first is a key frame.
    /// - Parameter isAligned: the first frame stands for the beginning of a second of the machine's clock.
    init(frames: [(bytes: [UInt8], isKey: Bool)], interval: Duration = .milliseconds(40), isAligned: Bool) {
        var bytes: [UInt8] = []
        ranges = frames.map { frame in
            bytes += frame.bytes
            return bytes.count - frame.bytes.count..<bytes.count
        }
        self.bytes = bytes
        keys = frames.map(\.isKey)
        self.interval = interval
        self.isAligned = isAligned
    }

    private static func read(_ path: String) throws(CommandFailure) -> EncodedPictures {
        let bytes = try MediaFile.read(path, atMost: mostBytes)
        do throws(IVFFault) { return try EncodedPictures(ivf: bytes) } catch { throw .input(path, "\(error.rawValue).") }
    }
}

/// Why an IVF file cannot be sent.
enum IVFFault: String, Error {
    case notIVF = "not an IVF file"
    case notVP8 = "the IVF file is not VP8"
    case frameRate = "the IVF file's frame rate is not 1 to 120"
    case noKeyFrame = "the IVF file does not begin with a key frame"
    case tooLong = "the IVF file has too many frames"
}
