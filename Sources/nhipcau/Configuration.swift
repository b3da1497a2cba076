import Base
import Foundation
import MCU
import Store
import WebServer

/// What `serve` runs with: the file's values, overridden by flags.
struct Configuration {
    enum TLS: Equatable {
        case none, selfSigned
        case files(certificate: String, key: String)
    }
    var host = "127.0.0.1"
    var port: UInt16 = 8_080
    var publicURL: String?
    var mediaPort: UInt16 = 5_004
    var mediaAddresses: [MediaServerConfiguration.Announced] = []
    var data = "data"
    /// Where what lasts is kept; nil: `nhipcau.sqlite` in the data folder.
    var store: StorePlace?
    var storePlace: StorePlace { store ?? .sqlite(path: data + "/nhipcau.sqlite") }
    var tls = TLS.none
    var directory: String?
    var logLevel = Log.Level.info
    /// Reverse proxies whose word about a client's address counts.
    var trustedProxies: [IPNetwork] = []
    /// NHIPCAU_ADMIN_PASSWORD: of the first administrator, on an empty store.
    var adminPassword: String?
    /// Where `/metrics` is; nil: beside the pages.
    var metrics: (host: String, port: UInt16)?
    /// Plain HTTP on an address of the network is meant: something before it speaks TLS.
    var isPlainMeant = false
    /// Hours that a login lasts.
    var sessionHours = 12
    /// Days that the audit log keeps before its rows go into files beside the database.
    var auditDays = 365
    /// Media sessions of one login in one meeting.
    var mediaSessionsPerLogin = 4
    /// The same of logins that bring many sites, by username.
    var gateways: [String: Int] = [:]

    /// The words of `serve`.
    static func parse(_ words: [String], of subcommand: String = "serve", extra: Set<String> = []) throws(CommandFailure) -> (
        Configuration, Arguments
    ) {
        let words = try Arguments(
            words, of: subcommand,
            known: extra.union([
                "--config", "--listen", "--media-port", "--data", "--tls-certificate", "--tls-key", "--tls", "--public-url", "--log-level",
                "--metrics", "--plain-http", "--store",
            ]), repeatable: ["--media-address", "--trusted-proxy"])
        var configuration = Configuration()
        if let file = words["--config"] { try configuration.read(file) }
        try configuration.override(with: words)
        return (configuration, words)
    }

    // MARK: The file

    private mutating func read(_ file: String) throws(CommandFailure) {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw .input("\(file): cannot be read; name an existing file with --config (Config/nhipcau.json is a sample)")
        }
        try take(try ConfigurationFields(bytes, file: file))
    }

    /// What a file says, over what is there.
    mutating func take(_ fields: ConfigurationFields) throws(CommandFailure) {
        try fields.allow([
            "listen", "publicURL", "media", "data", "tls", "directory", "logLevel", "sessionHours", "auditDays", "mediaSessionsPerLogin",
            "gateways",
            "trustedProxies", "metrics", "plainHTTP", "store",
        ])
        if let text = try fields.string("listen") { try listen(text, fields.place("listen")) }
        publicURL = try fields.string("publicURL") ?? publicURL
        data = try fields.string("data") ?? data
        if let text = try fields.string("store") { store = try Self.storePlace(text, fields.place("store")) }
        directory = try fields.string("directory") ?? directory
        if let hours = try fields.int("sessionHours", in: 1...720) { sessionHours = hours }
        if let days = try fields.int("auditDays", in: 30...36_500) { auditDays = days }
        if let most = try fields.int("mediaSessionsPerLogin", in: 1...1_000) { mediaSessionsPerLogin = most }
        if let section = try fields.object("gateways") {
            for name in section.keys {
                guard let most = try section.int(name, in: 1...2_000) else { continue }
                gateways[name.precomposedStringWithCanonicalMapping] = most
            }
        }
        if let level = try fields.string("logLevel") { try setLevel(level, fields.place("logLevel")) }
        for network in try fields.strings("trustedProxies") { try trust(network, fields.place("trustedProxies")) }
        if let word = try fields.string("plainHTTP") { try setPlain(word, fields.place("plainHTTP")) }
        if let section = try fields.object("metrics") {
            try section.allow(["listen"])
            if let text = try section.string("listen") { metrics = try Self.place(text, section.place("listen")) }
        }
        if let media = try fields.object("media") {
            try media.allow(["port", "addresses"])
            if let port = try media.int("port", in: 0...65_535) { mediaPort = UInt16(port) }
            for address in try media.strings("addresses") { try announce(address, media.place("addresses")) }
        }
        if let section = try fields.object("tls") { try readTLS(section) }
    }

    private mutating func readTLS(_ section: ConfigurationFields) throws(CommandFailure) {
        try section.allow(["mode", "certificate", "key"])
        switch try section.string("mode") {
        case nil, "files":
            guard let certificate = try section.string("certificate"), let key = try section.string("key") else {
                throw .input(
                    "\(section.place("certificate")): certificate and key come together; or set \"mode\" to \"none\" or \"self-signed\"")
            }
            tls = .files(certificate: certificate, key: key)
        case "none": tls = .none
        case "self-signed": tls = .selfSigned
        case let word?: throw .input("\(section.place("mode")): \"\(word)\" is none of none, self-signed, files")
        }
    }

    // MARK: Flags

    mutating func override(with words: Arguments) throws(CommandFailure) {
        if let text = words["--listen"] { try listen(text, "--listen") }
        if let text = words["--metrics"] { metrics = try Self.place(text, "--metrics") }
        if let word = words["--plain-http"] { try setPlain(word, "--plain-http") }
        if !words.all("--trusted-proxy").isEmpty { trustedProxies = [] }
        for network in words.all("--trusted-proxy") { try trust(network, "--trusted-proxy") }
        publicURL = words["--public-url"] ?? publicURL
        data = words["--data"] ?? data
        if let text = words["--store"] { store = try Self.storePlace(text, "--store") }
        if let text = words["--media-port"] {
            guard let port = UInt16(text) else { throw .usage("--media-port: \"\(text)\" is no port; give 0 to 65535") }
            mediaPort = port
        }
        if !words.all("--media-address").isEmpty { mediaAddresses = [] }
        for address in words.all("--media-address") { try announce(address, "--media-address") }
        if let level = words["--log-level"] { try setLevel(level, "--log-level") }
        switch (words["--tls"], words["--tls-certificate"], words["--tls-key"]) {
        case (nil, nil, nil): break
        case ("self-signed", nil, nil): tls = .selfSigned
        case ("none", nil, nil): tls = .none
        case (nil, let certificate?, let key?): tls = .files(certificate: certificate, key: key)
        case (nil, _, _): throw .usage("--tls-certificate and --tls-key come together")
        default: throw .usage("--tls takes self-signed or none, and no certificate files beside it")
        }
    }

    private mutating func listen(_ text: String, _ place: String) throws(CommandFailure) { (host, port) = try Self.place(text, place) }

    /// Listens where only this machine reaches it.
    var isLoopback: Bool {
        let literal = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        return host == "localhost" || IPAddress(literal)?.isLoopback ?? false
    }

    private mutating func trust(_ text: String, _ place: String) throws(CommandFailure) {
        guard let network = IPNetwork(text) else {
            throw .usage("\(place): \"\(text)\" is no address or network, as 127.0.0.1, 10.1.0.0/16 or 2001:db8::/32")
        }
        guard trustedProxies.count < 64 else { throw .usage("\(place): more than 64; name networks") }
        trustedProxies.append(network)
    }

    private mutating func setPlain(_ word: String, _ place: String) throws(CommandFailure) {
        guard word == "meant" || word == "warn" else { throw .usage("\(place): \"\(word)\" is none of warn, meant") }
        isPlainMeant = word == "meant"
    }

    private static func place(_ text: String, _ place: String) throws(CommandFailure) -> (host: String, port: UInt16) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw .usage("\(place): \"\(text)\" is not HOST:PORT, as 127.0.0.1:8080 or [::]:443")
        }
        return (String(text[..<colon]), port)
    }

    private mutating func announce(_ text: String, _ place: String) throws(CommandFailure) {
        guard let address = MediaServerConfiguration.Announced(parsing: text) else {
            throw .usage("\(place): \"\(text)\" is not IP or IP:PORT, as 203.0.113.7 or [2001:db8::7]:5004")
        }
        mediaAddresses.append(address)
    }

    static func storePlace(_ text: String, _ place: String) throws(CommandFailure) -> StorePlace {
        do throws(StoreError) { return try StorePlace(parsing: text) } catch { throw .usage("\(place): \(error)") }
    }

    private mutating func setLevel(_ text: String, _ place: String) throws(CommandFailure) {
        guard let level = Log.Level(rawValue: text) else { throw .usage("\(place): \"\(text)\" is none of debug, info, warning, error") }
        logLevel = level
    }
}
