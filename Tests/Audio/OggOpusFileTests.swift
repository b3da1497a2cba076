import Foundation
import TestSupport
import Testing

@testable import Audio

extension OggOpusFile {
    init(_ bytes: [UInt8]) throws(OggError) { try self.init(parsing: bytes.span.bytes) }
}

struct OggOpusFileTests {
    static let media = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Endpoint/media")
    static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: media.appending(path: name))) }

    /// A page with a right checksum.
    static func page(_ flags: UInt8, lacing: [UInt8], _ body: [UInt8], serial: UInt8 = 1) -> [UInt8] {
        var page = Array("OggS".utf8) + [0, flags] + [UInt8](repeating: 0, count: 8) + [serial, 0, 0, 0, 0, 0, 0, 0]
        page += [0, 0, 0, 0, UInt8(lacing.count)] + lacing + body
        let checksum = OggPage.checksum(of: page.span.bytes, from: 0, to: page.count)
        for i in 0..<4 { page[22 + i] = UInt8(truncatingIfNeeded: checksum >> (8 * i)) }
        return page
    }
    static let head = Array("OpusHead".utf8) + [1, 1, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0]
    static let start = page(2, lacing: [19], head) + page(0, lacing: [8], Array("OpusTags".utf8))

    @Test(arguments: ["speech-en.ogg", "speech-vi-chair.ogg", "speech-vi-daklak.ogg", "speech-vi-hagiang.ogg", "speech-vi-soctrang.ogg"])
    func `every packet of the speech files decodes to as long as it says`(name: String) throws {
        let file = try OggOpusFile(Self.bytes(name))
        var decoder = try OpusDecoder()
        var pcm = [Int16](repeating: 0, count: 5_760)
        var loudest = -127
        for index in 0..<file.packetCount {
            var room = pcm.mutableSpan
            let packet = file[index]
            let written = try decoder.decode(packet.span.bytes, into: &room)
            #expect(written == file.duration(ofPacket: index))
            let heard = pcm[..<written]
            loudest = max(loudest, AudioLevel.decibels(of: heard.span))
        }
        #expect(file.packetCount > 100 && file.preSkip > 0 && loudest > -30)
    }

    @Test func `a packet over two pages is joined, one without its beginning is left out`() throws {
        let long = [0x08] + [UInt8](repeating: 7, count: 299)
        let file =
            Self.start + Self.page(1, lacing: [10, 255], [UInt8](repeating: 9, count: 10) + long[..<255])
            + Self.page(5, lacing: [45], Array(long[255...]))
        let opus = try OggOpusFile(file)
        #expect(opus.packetCount == 1 && opus.preSkip == 312 && opus.samples == 960)
        #expect(opus[0].elementsEqual(long))
    }

    @Test func `another stream in the same file is passed over`() throws {
        let file = Self.start + Self.page(0, lacing: [3], [1, 2, 3], serial: 9) + Self.page(4, lacing: [2], [0x08, 1])
        #expect(try OggOpusFile(file).packetCount == 1)
    }

    @Test func `each fault has its name`() {
        func fault(_ bytes: [UInt8]) -> OggError? {
            do throws(OggError) { _ = try OggOpusFile(bytes) } catch { return error }
            return nil
        }
        var broken = Self.start + Self.page(4, lacing: [2], [0x08, 1])
        broken[broken.count - 1] ^= 1
        #expect(fault(broken) == .wrongChecksum(offset: Self.start.count))
        #expect(fault(Self.start) == .empty)
        #expect(fault([]) == .empty)
        #expect(fault(Self.start + Array("Ogg".utf8)) == .truncated(offset: Self.start.count))
        #expect(fault([UInt8](repeating: 0, count: 64)) == .notAPage(offset: 0))
        #expect(fault(Self.page(2, lacing: [8], Array("OpusTags".utf8)) + Self.start) == .notOpus)
        #expect(fault(Self.start + Self.page(4, lacing: [0], [])) == .badPacket(index: 2))
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `what is read of a damaged file is how the whole one begins, or the fault lies within it`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bytes = try Self.bytes("speech-en.ogg")
        let whole = try OggOpusFile(bytes)
        for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        do throws(OggError) {
            let read = try OggOpusFile(bytes)
            #expect((1...whole.packetCount).contains(read.packetCount))
            #expect((0..<min(read.packetCount, whole.packetCount)).allSatisfy { read[$0].elementsEqual(whole[$0]) })
        } catch {
            switch error {
            case .truncated(let offset), .wrongChecksum(let offset), .notAPage(let offset): #expect(bytes.indices.contains(offset))
            default: #expect(error == .empty)
            }
        }
    }
}
