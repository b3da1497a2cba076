import Base
import Foundation
import Testing

@testable import WebServer
@testable import nhipcau

struct ConfigurationTests {
    private func file(_ text: String) throws -> Configuration {
        var configuration = Configuration()
        try configuration.take(try ConfigurationFields(Data(text.utf8), file: "a.json"))
        return configuration
    }

    private func words(_ words: String...) throws -> Configuration { try Configuration.parse(words).0 }

    @Test func `the sample in Config is taken, and says what is so without it`() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Config/nhipcau.json").path
        let (sample, standard) = (try Configuration.parse(["--config", path]).0, Configuration())
        #expect(sample.host == standard.host && sample.port == standard.port && sample.mediaPort == standard.mediaPort)
        #expect(sample.data == standard.data && sample.tls == standard.tls && sample.logLevel == standard.logLevel)
        #expect(sample.sessionHours == standard.sessionHours && sample.auditDays == standard.auditDays && sample.gateways.isEmpty)
        #expect(sample.mediaSessionsPerLogin == standard.mediaSessionsPerLogin && sample.isPlainMeant == standard.isPlainMeant)
        #expect(sample.mediaAddresses.isEmpty && sample.trustedProxies.isEmpty && sample.metrics == nil && sample.publicURL == nil)
    }

    @Test func `each key of the file comes to its place`() throws {
        let read = try file(
            """
            {"listen": "[::1]:443", "publicURL": "https://a.example", "data": "d", "directory": "x.json", "sessionHours": 720, "auditDays": 30,
             "mediaSessionsPerLogin": 9, "gateways": {"phòng": 60}, "logLevel": "debug", "trustedProxies": ["10.0.0.0/8", "::1"],
             "plainHTTP": "meant", "metrics": {"listen": "127.0.0.1:9464"}, "tls": {"certificate": "c", "key": "k"},
             "media": {"port": 0, "addresses": ["203.0.113.7", "[2001:db8::7]:5004"]}}
            """)
        #expect(read.host == "[::1]" && read.port == 443 && read.isLoopback && read.publicURL == "https://a.example" && read.data == "d")
        #expect(read.directory == "x.json" && read.sessionHours == 720 && read.auditDays == 30 && read.mediaSessionsPerLogin == 9)
        #expect(read.gateways == ["phòng": 60] && read.logLevel == .debug && read.trustedProxies.count == 2 && read.isPlainMeant)
        #expect(read.metrics?.host == "127.0.0.1" && read.metrics?.port == 9_464 && read.tls == .files(certificate: "c", key: "k"))
        #expect(read.mediaPort == 0 && read.mediaAddresses.count == 2)
    }

    @Test func `the name of a gateway is the same however its letters are composed`() throws {
        #expect(try file("{\"gateways\": {\"pho\u{0300}ng\": 3}}").gateways["ph\u{00f2}ng"] == 3)
    }

    @Test(arguments: [
        (#"{"listne": "a:1"}"#, "listne: unknown key"), (#"{"listen": "8080"}"#, "listen: \"8080\" is not HOST:PORT"),
        (#"{"listen": "a:65536"}"#, "listen: \"a:65536\" is not HOST:PORT"),
        (#"{"sessionHours": 0}"#, "sessionHours: must be a whole number from 1 to 720"),
        (#"{"sessionHours": true}"#, "sessionHours: must be"), (#"{"auditDays": 29}"#, "auditDays: must be"),
        (#"{"mediaSessionsPerLogin": 1001}"#, "mediaSessionsPerLogin: must be"), (#"{"gateways": {"a": 2001}}"#, "gateways.a: must be"),
        (#"{"logLevel": "loud"}"#, "logLevel: \"loud\" is none of"),
        (#"{"trustedProxies": ["10.0.0.0/33"]}"#, "trustedProxies: \"10.0.0.0/33\""),
        (#"{"trustedProxies": "10.0.0.1"}"#, "trustedProxies: must be a list"), (#"{"plainHTTP": "yes"}"#, "plainHTTP: \"yes\" is none of"),
        (#"{"metrics": {"port": 1}}"#, "metrics.port: unknown key"), (#"{"media": {"port": 65536}}"#, "media.port: must be"),
        (#"{"media": {"addresses": ["host"]}}"#, "media.addresses: \"host\" is not IP"),
        (#"{"tls": {"mode": "some"}}"#, "tls.mode: \"some\" is none of"),
        (#"{"tls": {"certificate": "c"}}"#, "tls.certificate: certificate and key come together"),
    ])
    func `what is wrong in the file is named with its key`(text: String, words: String) {
        let failure = #expect(throws: CommandFailure.self) { try file(text) }
        #expect(failure?.line.hasPrefix("a.json: \(words)") == true, "\(failure?.line ?? "")")
        #expect(failure?.code == ExitCode.input || failure?.code == ExitCode.usage)
    }

    @Test func `a file that is not there is named`() {
        let failure = #expect(throws: CommandFailure.self) { try words("--config", "/nowhere/at-all.json") }
        #expect(failure?.code == ExitCode.input && failure?.line.contains("/nowhere/at-all.json") == true)
    }

    @Test func `flags go before the file, and lists in them replace the file's`() throws {
        var read = try file(
            #"{"listen": "a:1", "trustedProxies": ["10.0.0.0/8"], "media": {"addresses": ["203.0.113.7"]}, "tls": {"mode": "self-signed"}}"#
        )
        #expect(read.tls == .selfSigned && !read.isLoopback)
        try read.override(
            with: Arguments(
                ["--listen=b:2", "--trusted-proxy", "::1", "--trusted-proxy=192.0.2.1", "--media-address", "192.0.2.9:7", "--tls", "none"],
                of: "serve", known: ["--listen", "--tls"], repeatable: ["--trusted-proxy", "--media-address"]))
        #expect(read.host == "b" && read.port == 2 && read.tls == .none)
        #expect(read.trustedProxies.map(\.description) == ["::1/128", "192.0.2.1/32"] && read.mediaAddresses.count == 1)
    }

    @Test(arguments: [
        (["--tls", "self-signed"], Configuration.TLS.selfSigned), (["--tls", "none"], .none), ([], .none),
        (["--tls-certificate", "c", "--tls-key", "k"], .files(certificate: "c", key: "k")),
    ])
    func `TLS is asked for in one way`(words: [String], tls: Configuration.TLS) throws {
        #expect(try Configuration.parse(words).0.tls == tls)
    }

    @Test(arguments: [
        (["--tls-key", "k"], "--tls-certificate and --tls-key come together"), (["--tls", "files"], "--tls takes"),
        (["--tls", "none", "--tls-key", "k"], "--tls takes"), (["--media-port", "65536"], "--media-port"),
        (["--media-port", "-1"], "--media-port"),
        (["--listen", "here"], "--listen"), (["--metrics", ":x"], "--metrics"), (["--plain-http", "no"], "--plain-http"),
        (["--log-level", "trace"], "--log-level"), (["--media-address", "a.example"], "--media-address"),
        (["--trusted-proxy", "a"], "--trusted-proxy"),
    ])
    func `a flag that cannot be meant is named`(words: [String], named: String) {
        let failure = #expect(throws: CommandFailure.self) { try Configuration.parse(words) }
        #expect(failure?.code == ExitCode.usage && failure?.line.contains(named) == true)
    }

    @Test func `of proxies sixty-four are enough`() throws {
        let many = (0..<65).map { "--trusted-proxy=10.0.0.\($0)" }
        #expect(try Configuration.parse(Array(many.prefix(64))).0.trustedProxies.count == 64)
        #expect(throws: CommandFailure.self) { try Configuration.parse(many) }
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("localhost:1", true), ("[::1]:1", true), ("127.9.9.9:1", true), ("0.0.0.0:1", false), ("[::]:1", false),
        ("10.0.0.1:1", false), ("a.example:1", false),
    ])
    func `what only this machine reaches is known`(listen: String, isLoopback: Bool) throws {
        #expect(try words("--listen", listen).isLoopback == isLoopback)
    }
}
