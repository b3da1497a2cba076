import COpus

/// What libopus refused; `description` has its words.
package struct OpusError: Error, Equatable, CustomStringConvertible {
    package let code: Int32

    package var description: String { "opus: \(String(cString: opus_strerror(code))) (\(code))" }

    static let badArgument = OpusError(code: OPUS_BAD_ARG)
    static let invalidPacket = OpusError(code: OPUS_INVALID_PACKET)
}
