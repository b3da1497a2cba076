import Foundation

/// What the server itself refuses, before an application sees the request, as `application/problem+json` (RFC 9457).
enum Refusal: Equatable {
    case tooLarge(limit: Int)
    case lengthRequired
    case badRequest(BadRequest)
    case methodUnknown
    case webSocketVersion
    case busy

    enum BadRequest: String { case contentLength, framing, encoding, webSocketKey, subprotocol, upgradeMethod }

    /// - Parameter language: the `Accept-Language` of the request; Vietnamese unless it asks for English first.
    func response(language: String?) -> HTTPResponse {
        let english = (language ?? "").lowercased().hasPrefix("en")
        let (status, type, title, detail) = words(english)
        let body: [String: Any] = ["type": "urn:nhipcau:\(type)", "title": title, "status": status, "detail": detail]
        let json = (try? JSONSerialization.data(withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes])) ?? Data()
        var headers = [(name: "Content-Type", value: "application/problem+json"), (name: "Content-Language", value: english ? "en" : "vi")]
        if self == .webSocketVersion { headers.append(("Sec-WebSocket-Version", "13")) }
        if self == .busy { headers.append(("Retry-After", "1")) }
        return HTTPResponse(status: status, headers: headers, body: [UInt8](json))
    }

    private func words(_ english: Bool) -> (Int, String, String, String) {
        switch self {
        case .tooLarge(let limit):
            let kib = limit / 1024
            return english
                ? (413, "content-too-large", "Content too large", "The body may have at most \(kib) KiB. Send less.")
                : (413, "content-too-large", "Nội dung quá lớn", "Nội dung gửi lên tối đa \(kib) KiB. Hãy gửi ít hơn.")
        case .lengthRequired:
            return english
                ? (411, "length-required", "Length required", "This method takes a body only with Content-Length.")
                : (411, "length-required", "Thiếu độ dài", "Phương thức này chỉ nhận nội dung kèm Content-Length.")
        case .methodUnknown:
            return english
                ? (501, "method-unknown", "Unknown method", "The server does not know this method.")
                : (501, "method-unknown", "Phương thức lạ", "Máy chủ không biết phương thức này.")
        case .webSocketVersion:
            return english
                ? (426, "websocket-version", "WebSocket version", "Only WebSocket version 13 (RFC 6455) is spoken.")
                : (426, "websocket-version", "Phiên bản WebSocket", "Máy chủ chỉ dùng WebSocket phiên bản 13 (RFC 6455).")
        case .busy:
            return english
                ? (503, "busy", "Busy", "The server is busy. Try again in a second.")
                : (503, "busy", "Máy chủ bận", "Máy chủ đang bận. Hãy thử lại sau một giây.")
        case .badRequest(let what): return (400, "bad-request", english ? "Bad request" : "Yêu cầu sai", Self.detail(what, english))
        }
    }

    private static func detail(_ what: BadRequest, _ english: Bool) -> String {
        switch what {
        case .contentLength: english ? "Content-Length is not one whole number." : "Content-Length không phải là một số nguyên."
        case .framing:
            english
                ? "Where the body ends is not clear: send one Content-Length, or Transfer-Encoding: chunked alone, as RFC 9112 has them."
                : "Không rõ nội dung kết thúc ở đâu: chỉ gửi một Content-Length, hoặc chỉ Transfer-Encoding: chunked, đúng theo RFC 9112."
        case .encoding: english ? "The address is not UTF-8." : "Địa chỉ không phải là UTF-8."
        case .webSocketKey: english ? "Sec-WebSocket-Key is missing or malformed." : "Sec-WebSocket-Key thiếu hoặc sai."
        case .subprotocol:
            english ? "None of the offered subprotocols is spoken here." : "Không có giao thức con (subprotocol) nào được hỗ trợ."
        case .upgradeMethod: english ? "A WebSocket is opened with GET." : "WebSocket phải mở bằng GET."
        }
    }
}
