import Foundation

/// What the server itself refuses, before an application sees the request, as `application/problem+json` (RFC 9457).
enum Refusal: Error, Equatable {
    case tooLarge(limit: Int)
    case headTooLarge
    case badRequest(BadRequest)
    case methodNotAllowed
    case methodUnknown
    case versionUnknown
    case expectation
    case webSocketVersion

    enum BadRequest: String {
        case requestLine, host, twice, contentLength, framing, encoding, webSocketKey, subprotocol, upgradeMethod, upgradeBody
    }

    /// - Parameter language: the `Accept-Language` of the request; Vietnamese unless it asks for English first.
    func response(language: String?) -> HTTPResponse {
        let english = (language ?? "").lowercased().hasPrefix("en")
        let (status, type, title, detail) = words(english)
        let body: [String: Any] = ["type": "urn:nhipcau:\(type)", "title": title, "status": status, "detail": detail]
        // Texts and a number can always be written.
        let json = (try? JSONSerialization.data(withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes])) ?? Data()
        var headers = [(name: "Content-Type", value: "application/problem+json"), (name: "Content-Language", value: english ? "en" : "vi")]
        if self == .webSocketVersion { headers.append(("Sec-WebSocket-Version", "13")) }
        if self == .methodNotAllowed { headers.append(("Allow", RequestReader.methods.sorted().joined(separator: ", "))) }
        return HTTPResponse(status: status, headers: headers, body: [UInt8](json))
    }

    private func words(_ english: Bool) -> (Int, String, String, String) {
        switch self {
        case .tooLarge(let limit):
            let kib = limit / 1024
            return english
                ? (413, "content-too-large", "Content too large", "The body may have at most \(kib) KiB. Send less.")
                : (413, "content-too-large", "Nội dung quá lớn", "Nội dung gửi lên tối đa \(kib) KiB. Hãy gửi ít hơn.")
        case .headTooLarge:
            return english
                ? (431, "headers-too-large", "Headers too large", "Request line and headers are too long or too many. Send fewer.")
                : (431, "headers-too-large", "Phần đầu quá lớn", "Dòng yêu cầu và các trường đầu quá dài hoặc quá nhiều. Hãy gửi ít hơn.")
        case .methodNotAllowed:
            return english
                ? (405, "method-not-allowed", "Method not allowed", "This server neither traces requests nor makes tunnels.")
                : (405, "method-not-allowed", "Phương thức không được phép", "Máy chủ không phản hồi TRACE và không tạo đường hầm.")
        case .versionUnknown:
            return english
                ? (505, "version-unknown", "HTTP version", "Only HTTP/1.1 and HTTP/1.0 are spoken.")
                : (505, "version-unknown", "Phiên bản HTTP", "Máy chủ chỉ dùng HTTP/1.1 và HTTP/1.0.")
        case .expectation:
            return english
                ? (417, "expectation-failed", "Expectation failed", "The only expectation that is met is 100-continue.")
                : (417, "expectation-failed", "Không đáp ứng được", "Máy chủ chỉ đáp ứng Expect: 100-continue.")
        case .methodUnknown:
            return english
                ? (501, "method-unknown", "Unknown method", "The server does not know this method.")
                : (501, "method-unknown", "Phương thức lạ", "Máy chủ không biết phương thức này.")
        case .webSocketVersion:
            return english
                ? (426, "websocket-version", "WebSocket version", "Only WebSocket version 13 (RFC 6455) is spoken.")
                : (426, "websocket-version", "Phiên bản WebSocket", "Máy chủ chỉ dùng WebSocket phiên bản 13 (RFC 6455).")
        case .badRequest(let what): return (400, "bad-request", english ? "Bad request" : "Yêu cầu sai", Self.detail(what, english))
        }
    }

    private static func detail(_ what: BadRequest, _ english: Bool) -> String {
        switch what {
        case .contentLength: english ? "Content-Length is not one whole number." : "Content-Length không phải là một số nguyên."
        case .framing:
            english
                ? "The request may be read in two ways: headers as RFC 9112 has them, with one Content-Length or Transfer-Encoding: chunked alone."
                : "Yêu cầu có thể hiểu theo hai cách: viết các trường đúng RFC 9112, chỉ một Content-Length hoặc chỉ Transfer-Encoding: chunked."
        case .requestLine:
            english ? "The request line is not one of HTTP/1.1 (RFC 9112)." : "Dòng yêu cầu không đúng HTTP/1.1 (RFC 9112)."
        case .host: english ? "Send one Host header with the server's name." : "Hãy gửi đúng một trường Host ghi tên máy chủ."
        case .twice: english ? "A header that may be sent once was sent twice." : "Một trường chỉ được gửi một lần đã bị gửi hai lần."
        case .encoding:
            english ? "The address is not percent-encoded UTF-8." : "Địa chỉ không phải là UTF-8 mã hóa theo phần trăm."
        case .upgradeBody: english ? "A WebSocket is opened without a body." : "WebSocket phải mở bằng yêu cầu không có nội dung."
        case .webSocketKey: english ? "Sec-WebSocket-Key is missing or malformed." : "Sec-WebSocket-Key thiếu hoặc sai."
        case .subprotocol:
            english ? "None of the offered subprotocols is spoken here." : "Không có giao thức con (subprotocol) nào được hỗ trợ."
        case .upgradeMethod: english ? "A WebSocket is opened with GET." : "WebSocket phải mở bằng GET."
        }
    }
}
