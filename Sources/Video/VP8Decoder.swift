import CVPX

/// One VP8 decoder. Whatever it is fed it stays usable: after an error it refuses everything up to the next key frame, then starts anew.
package struct VP8Decoder: ~Copyable {
    /// The longer side and the area of what is decoded, either way up; checked before libvpx allocates anything.
    package static let mostSide = 1_920
    package static let mostPixels = 1_920 * 1_200

    /// On the heap, because libvpx keeps pointers into it.
    private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
    private var needsKeyFrame = true
    private var isDamaged = false
    /// One for each tile: it keeps tables for its sizes.
    private var reducers = [Reducer()]

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

    /// A decoded picture, and its size before it was scaled to a tile.
    package struct Decoded {
        package var picture: Picture
        package var width: Int
        package var height: Int
    }

    /// Decodes one whole frame (RFC 6386); its size may differ from the last one's.
    /// - Returns: the picture, from `pool`; nil where the frame is not to be shown. An odd side loses its last row or column.
    package mutating func decode(_ frame: Span<UInt8>, pool: PicturePool) throws(VPXError) -> Picture? {
        guard let image = try image(frame) else { return nil }
        let picture = pool.take(width: image.bounds.width, height: image.bounds.height)
        image.copy(to: picture)
        return picture
    }

    /// The same for a tile: where the tile is smaller than the picture, it is scaled on the way out of libvpx, while it is in the processor's cache.
    /// - Parameters:
    ///   - tile: its sides, even; nil takes the picture as it is.
    ///   - ring: where the picture comes from.
    package mutating func decode(
        _ frame: Span<UInt8>, tile: (width: Int, height: Int)?, ring: inout PictureRing
    ) throws(VPXError) -> Decoded? {
        guard let image = try image(frame) else { return nil }
        return Decoded(picture: fitted(image, 0, tile: tile, ring: &ring), width: image.bounds.width, height: image.bounds.height)
    }

    /// The same for several tiles: decoded once, scaled once for each.
    /// - Parameters:
    ///   - tiles: nil among them takes the picture as it is.
    ///   - rings: at least as many.
    ///   - pictures: one for each tile is appended; none where the frame is not to be shown.
    package mutating func decode(
        _ frame: Span<UInt8>, tiles: [(width: Int, height: Int)?], rings: inout [PictureRing], into pictures: inout [Picture]
    ) throws(VPXError) {
        guard let image = try image(frame) else { return }
        while reducers.count < tiles.count { reducers.append(Reducer()) }
        for index in tiles.indices { pictures.append(fitted(image, index, tile: tiles[index], ring: &rings[index])) }
    }

    private mutating func fitted(_ image: Picture.View, _ index: Int, tile: (width: Int, height: Int)?, ring: inout PictureRing) -> Picture
    {
        let (width, height) = (image.bounds.width, image.bounds.height)
        if let tile, tile.width >= 2, tile.height >= 2 {
            let fit = TileFit(width: width, height: height, tileWidth: tile.width, tileHeight: tile.height)
            if fit.isReduction {
                let picture = ring.take(width: fit.place.width, height: fit.place.height)
                reducers[index].reduce(image, part: fit.part, into: picture)
                return picture
            }
        }
        let picture = ring.take(width: width, height: height)
        image.copy(to: picture)
        return picture
    }

    /// Decodes a frame that others refer to, and makes no picture of it.
    package mutating func follow(_ frame: Span<UInt8>) throws(VPXError) { _ = try image(frame) }

    private mutating func image(_ frame: Span<UInt8>) throws(VPXError) -> Picture.View? {
        let isKey = try check(frame)
        if isDamaged { try reopen() }
        let code = frame.withUnsafeBufferPointer { vpx_codec_decode(context, $0.baseAddress, UInt32($0.count), nil, 0) }
        guard code == VPX_CODEC_OK else {
            (needsKeyFrame, isDamaged) = (true, true)
            throw VPXError(code)
        }
        if isKey { needsKeyFrame = false }
        return try takeImage()
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

    /// libvpx's own picture: valid until the next call of the decoder.
    private func takeImage() throws(VPXError) -> Picture.View? {
        var iterator: vpx_codec_iter_t?
        guard let image = vpx_codec_get_frame(context, &iterator)?.pointee else { return nil }
        let (width, height) = (Int(image.d_w) & ~1, Int(image.d_h) & ~1)
        guard image.fmt == VPX_IMG_FMT_I420, width >= 2, height >= 2, let y = image.planes.0, let u = image.planes.1, let v = image.planes.2
        else { throw .pictureSize(width: width, height: height) }
        return Picture.View(
            planes: Picture.Planes(y: y, u: u, v: v, strideY: image.stride.0, strideUV: image.stride.1),
            bounds: Rectangle(x: 0, y: 0, width: width, height: height))
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
