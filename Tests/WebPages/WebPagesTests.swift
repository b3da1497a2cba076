import Foundation
import Testing

@testable import WebPages

struct WebPagesTests {
    @Test(arguments: ["/", "", "/login", "/meetings", "/meetings/", "/meetings/new", "/meetings/0192f3a0-7c1e-7000-8000-0123456789ab"])
    func `an address of the pages answers with the one HTML file`(path: String) throws {
        let page = try #require(WebPages.file(at: path))
        #expect(page.contentType == "text/html; charset=utf-8")
        #expect(page.body == WebPages.file(at: "/index.html")?.body)
    }

    @Test(arguments: [
        "/../WebPages.swift", "/modules/../../WebPages.swift", "/modules/%2e%2e/x", "//etc/passwd", "/meetings/a/b", "/meetings/..",
        "/modules",
        "/modules/", "/index.html/", "index.html", "/meetings/<script>", "/api/v1/meetings", "/\0",
    ])
    func `what is no file and no page is nothing`(path: String) {
        #expect(WebPages.file(at: path) == nil)
    }

    @Test func `every file says its type and changes its tag with its content`() {
        let files = WebPages.paths.compactMap { WebPages.file(at: $0) }
        #expect(files.count == WebPages.paths.count && files.count > 10)
        #expect(Set(files.map(\.etag)).count == Set(files.map(\.body)).count)
        #expect(WebPages.file(at: "/modules/main.js")?.contentType == "text/javascript; charset=utf-8")
        #expect(WebPages.file(at: "/styles/tokens.css")?.contentType == "text/css; charset=utf-8")
    }

    @Test func `no page carries a script or a style of its own`() throws {
        let html = String(decoding: try #require(WebPages.file(at: "/")).body, as: UTF8.self)
        #expect(html.contains("<script type=\"module\" src="))
        #expect(!html.contains("<script>") && !html.contains("<style") && !html.contains(" style=") && !html.contains(" onclick="))
    }
}
