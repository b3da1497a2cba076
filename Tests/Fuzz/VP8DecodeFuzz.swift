import Video

private let pool = PicturePool(capacity: 4)
private var decoder = try? VP8Decoder()

/// Whatever the frame, it is refused or it decodes to a picture within bounds; one decoder lives through all of them.
@c(LLVMFuzzerTestOneInput)
public func fuzzVP8Decode(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let frame = UnsafeBufferPointer(start: bytes, count: count)
    if let picture = try? decoder?.decode(frame.span, pool: pool) {
        precondition(picture.width * picture.height <= VP8Decoder.mostPixels)
    }
    return 0
}
