/// How much body a request says it has (RFC 9112 §6.3).
enum BodyLength: Equatable {
    case none
    case bytes(Int)
    case chunked
    case refused(Refusal)

    /// - Parameter isHTTP11: before it there was no chunked coding.
    init(_ headers: [String: String], isHTTP11: Bool = true) {
        if let coding = headers["transfer-encoding"] {
            // Both headers, another coding, one coding twice: two readers may find two ends (RFC 9112 §6.1, §6.3, §11.2).
            let isClear = headers["content-length"] == nil && coding.lowercased() == "chunked" && isHTTP11
            self = isClear ? .chunked : .refused(.badRequest(.framing))
        } else if let text = headers["content-length"] {
            guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(text) else {
                self = .refused(.badRequest(.contentLength))
                return
            }
            self = length == 0 ? .none : .bytes(length)
        } else {
            self = .none
        }
    }
}
