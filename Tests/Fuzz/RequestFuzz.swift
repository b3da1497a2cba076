@testable import WebServer

/// Whatever bytes come as requests: read or refused, within the limits, and the same in one piece as byte by byte.
@c(LLVMFuzzerTestOneInput) public func fuzzRequest(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    precondition(read(input, pieces: .max) == read(input, pieces: 1))
    return 0
}

private func read(_ input: [UInt8], pieces: Int) -> [String] {
    var (reader, found) = (RequestReader(headLimit: 1_024, bodyLimit: 512), [String]())
    var rest = input[...]
    while !rest.isEmpty {
        var piece = Array(rest.prefix(pieces))
        rest = rest.dropFirst(pieces)
        while !piece.isEmpty {
            let (outcome, used) = piece.withUnsafeBytes { reader.take($0) }
            precondition(used > 0 && used <= piece.count)
            piece.removeFirst(used)
            switch outcome {
            // Where a body is waited for is a matter of pieces.
            case .more, .proceed: break
            case .request(let request, let manner):
                precondition(request.body.count <= 512 && (request.path.hasPrefix("/") || request.path == "*"))
                precondition(!request.path.contains("/../") && !request.path.hasSuffix("/..") && !request.path.contains("//"))
                found.append(
                    "\(request.method) \(request.path) \(request.query) \(request.headers.sorted { $0.key < $1.key }) \(request.body) \(manner)"
                )
            case .refused(let refusal, let language): return found + ["\(refusal.response(language: language).status) \(refusal)"]
            }
        }
    }
    return found
}
