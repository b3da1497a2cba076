import Foundation

/// The description of the API that the server hands out: OpenAPI 3.1, written by hand in `api/openapi.json` and held against the routes by a test.
enum OpenAPI {
    /// Read once. Empty where the resource is missing, which the tests would notice.
    static let document: [UInt8] = {
        guard let url = Bundle.module.url(forResource: "openapi", withExtension: "json", subdirectory: "api") else { return empty }
        // Why a part of the program cannot be read is for whoever installed it.
        return (try? Data(contentsOf: url)).map { [UInt8]($0) } ?? empty
    }()
    private static let empty = Array("{}".utf8)
}
