import Video

private let pool = PicturePool(capacity: 4)

/// Whatever the frames, each is refused or decodes to a picture within bounds; one decoder lives through all of them. The input is cut into
/// up to eight frames, each behind its length in two bytes.
@c(LLVMFuzzerTestOneInput)
public func fuzzVP8Decode(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard var decoder = try? VP8Decoder() else { return 0 }
    let input = UnsafeBufferPointer(start: bytes, count: count)
    var (place, frames) = (0, 0)
    while place + 2 <= count, frames < 8 {
        let end = min(place + 2 + Int(input[place]) << 8 + Int(input[place + 1]), count)
        let frame = UnsafeBufferPointer(rebasing: input[(place + 2)..<end])
        if let picture = try? decoder.decode(frame.span, pool: pool) {
            precondition(picture.width * picture.height <= VP8Decoder.mostPixels)
        }
        (place, frames) = (end, frames + 1)
    }
    return 0
}
