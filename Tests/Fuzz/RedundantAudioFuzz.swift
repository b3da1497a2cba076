@testable import RTP

/// Any bytes as redundant sound: its blocks lie inside, one after the other, or it throws.
@c(LLVMFuzzerTestOneInput) public func fuzzRedundantAudio(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let payload = UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count).bytes
    guard let redundant = try? RedundantAudio(parsing: payload, payloadType: 111) else { return 0 }
    precondition(redundant.count <= RedundantAudio.mostBlocks && redundant.primary.upperBound == count)
    var end = 0
    for index in 0..<redundant.count {
        let block = redundant[index]
        precondition(block.payload.lowerBound > end && block.payload.count <= RedundantAudio.longestBlock)
        precondition(block.offset <= RedundantAudio.largestOffset)
        precondition(redundant.distance(of: index, samples: 960).map { $0 > 0 } ?? true)
        // The next one may begin where this one ends.
        end = block.payload.upperBound - 1
    }
    precondition(redundant.primary.lowerBound > end)
    let samples = RedundantAudio.samples(ofOpus: payload.extracting(redundant.primary))
    precondition((0...5_760).contains(samples))
    return 0
}
