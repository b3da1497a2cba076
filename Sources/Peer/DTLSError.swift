import COpenSSL

/// Why a DTLS association could not be made.
package enum DTLSError: Error, Equatable, Sendable {
    /// OpenSSL refused; its own words.
    case library(String)

    /// The oldest error of this thread's queue, which is emptied.
    static func lastLibraryError() -> DTLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return .library("unknown") }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        let words = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return .library(String(decoding: words, as: UTF8.self))
    }
}
