import ICE

/// The first byte says how the rest is cut into pieces. Whatever the stream: the same frames come out as of the stream in one piece, none longer than
/// a datagram, or the same error.
@c(LLVMFuzzerTestOneInput) public func fuzzStreamFrames(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let all = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    guard let first = all.first else { return 0 }
    let stream = Array(all.dropFirst())
    let whole = frames(stream, pieces: max(1, stream.count))
    let cut = frames(stream, pieces: Int(first) + 1)
    precondition(whole == cut)
    return 0
}

private struct Found: Equatable {
    var frames: [[UInt8]] = []
    var failure: StreamFrames.Failure?
}

private func frames(_ stream: [UInt8], pieces size: Int) -> Found {
    var found = Found()
    var reader = StreamFrames()
    do throws(StreamFrames.Failure) {
        for start in stride(from: 0, to: stream.count, by: size) {
            let piece = Array(stream[start..<min(stream.count, start + size)])
            try reader.take(piece.span) { frame in
                precondition(frame.count > 0 && frame.count <= StreamFrames.largest)
                found.frames.append(frame.withUnsafeBufferPointer { Array($0) })
            }
        }
    } catch { found.failure = error }
    return found
}
