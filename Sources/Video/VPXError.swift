import CVPX

/// What libvpx refused, or what was refused before it saw it.
package enum VPXError: Error, Equatable, CustomStringConvertible {
    /// libvpx's own code; `description` has its words.
    case codec(code: UInt32)
    case emptyFrame
    /// Larger than `VP8Decoder.mostPixels` or `mostSide`, or without area.
    case pictureSize(width: Int, height: Int)
    /// Between pictures without the key frame they build on: at the start, or after an error.
    case needsKeyFrame
    /// The picture has not the size that the encoder was made for.
    case wrongSize(width: Int, height: Int)

    init(_ code: vpx_codec_err_t) { self = .codec(code: code.rawValue) }

    package var description: String {
        switch self {
        case .codec(let code): "vpx: \(String(cString: vpx_codec_err_to_string(vpx_codec_err_t(rawValue: code)))) (\(code))"
        case .emptyFrame: "vpx: empty frame"
        case .pictureSize(let width, let height): "vpx: picture of \(width)×\(height) refused"
        case .needsKeyFrame: "vpx: waits for a key frame"
        case .wrongSize(let width, let height): "vpx: picture of \(width)×\(height) is not the encoder's"
        }
    }
}
