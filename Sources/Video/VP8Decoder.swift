import CVPX
import CYUV

/// One VP8 decoder. Whatever it is fed it stays usable: after an error it refuses everything up to the next key frame, then starts anew.
package struct VP8Decoder: ~Copyable {
    /// The longer side and the area of what is decoded, either way up; checked before libvpx allocates anything.
    package static let mostSide = 1_920
    package static let mostPixels = 1_920 * 1_200

    /// On the heap, because libvpx keeps pointers into it.
    private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
    private var needsKeyFrame = true
    private var isDamaged = false

    package init() throws(VPXError) {
        let context = UnsafeMutablePointer<vpx_codec_ctx_t>.allocate(capacity: 1)
        do {
            try Self.open(context)
        } catch {
            context.deallocate()
            throw error
        }
        self.context = context
    }

    deinit {
        vpx_codec_destroy(context)
        context.deallocate()
    }

    /// Decodes one whole frame (RFC 6386); its size may differ from the last one's.
    /// - Returns: the picture, from `pool`; nil where the frame is not to be shown. An odd side loses its last row or column.
    package mutating func decode(_ frame: Span<UInt8>, pool: PicturePool) throws(VPXError) -> Picture? {
        let isKey = try check(frame)
        if isDamaged { try reopen() }
        let code = frame.withUnsafeBufferPointer { vpx_codec_decode(context, $0.baseAddress, UInt32($0.count), nil, 0) }
        guard code == VPX_CODEC_OK else {
            (needsKeyFrame, isDamaged) = (true, true)
            throw VPXError(code)
        }
        if isKey { needsKeyFrame = false }
        return try takePicture(pool)
    }

    /// - Returns: whether it is a key frame.
    private func check(_ frame: Span<UInt8>) throws(VPXError) -> Bool {
        // libvpx takes an empty frame for a lost one, and repeats the last picture.
        guard frame.count > 0, frame.count <= Int(Int32.max) else { throw .emptyFrame }
        guard frame[0] & 1 == 0 else {  // RFC 6386 §9.1: the bit is 0 for key frames
            guard !needsKeyFrame else { throw .needsKeyFrame }
            return false
        }
        var info = vpx_codec_stream_info_t()
        let code = frame.withUnsafeBufferPointer { nc_vp8_peek($0.baseAddress, UInt32($0.count), &info) }
        guard code == VPX_CODEC_OK else { throw VPXError(code) }
        let (width, height) = (Int(info.w), Int(info.h))
        guard width >= 2, height >= 2, max(width, height) <= Self.mostSide, width * height <= Self.mostPixels else {
            throw .pictureSize(width: width, height: height)
        }
        return true
    }

    private func takePicture(_ pool: PicturePool) throws(VPXError) -> Picture? {
        var iterator: vpx_codec_iter_t?
        guard let image = vpx_codec_get_frame(context, &iterator)?.pointee else { return nil }
        let (width, height) = (Int(image.d_w) & ~1, Int(image.d_h) & ~1)
        guard image.fmt == VPX_IMG_FMT_I420, width >= 2, height >= 2 else { throw .pictureSize(width: width, height: height) }
        let picture = pool.take(width: width, height: height)
        let to = picture.planes
        _ = I420Copy(
            image.planes.0, image.stride.0, image.planes.1, image.stride.1, image.planes.2, image.stride.2, to.y, to.strideY, to.u,
            to.strideUV, to.v, to.strideUV, Int32(width), Int32(height))
        return picture
    }

    /// After an error libvpx's references are anything; a fresh decoder costs less than finding out.
    private mutating func reopen() throws(VPXError) {
        vpx_codec_destroy(context)
        try Self.open(context)
        isDamaged = false
    }

    private static func open(_ context: UnsafeMutablePointer<vpx_codec_ctx_t>) throws(VPXError) {
        context.initialize(to: vpx_codec_ctx_t())
        var configuration = vpx_codec_dec_cfg_t(threads: 1, w: 0, h: 0)
        let code = nc_vp8_decoder_init(context, &configuration)
        guard code == VPX_CODEC_OK else { throw VPXError(code) }
    }
}
