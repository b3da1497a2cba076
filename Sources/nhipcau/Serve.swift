import Base
import ControlPlane
import Endpoint
import Foundation
import MCU
import Records
import Store
import WebPages
import WebServer

/// `nhipcau serve`: the only place that puts the parts together.
enum Serve {
    static func run(_ words: [String]) async throws(CommandFailure) -> Int32 {
        DataFolder.closeToOthers()
        var (configuration, _) = try Configuration.parse(words)
        configuration.adminPassword = ProcessSecrets.take("NHIPCAU_ADMIN_PASSWORD")
        let server = try await Server(configuration)
        let log = server.log
        let signals = await Signals()
        if let password = server.newPassword {
            print("Tài khoản quản trị / administrator: admin\nMật khẩu (chỉ hiện một lần) / password (shown once): \(password)")
        }
        print("Địa chỉ / address: \(server.address)")
        flush()
        await signals.wait(onHangUp: {
            switch await reload(words, server) {
            case .success: log.info("configuration-read")
            case .failure(let failure): log.error("configuration-refused", ["reason": failure.line])
            }
        })
        await server.stop()
        return 0
    }

    /// SIGHUP: the level of the log and the certificates follow the file; what needs new sockets waits for a restart.
    private static func reload(_ words: [String], _ server: Server) async -> Result<Void, CommandFailure> {
        do throws(CommandFailure) {
            let (configuration, _) = try Configuration.parse(words)
            server.log.level = configuration.logLevel
            server.web.reloadCertificates()
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    static func flush() { fflush(nil) }
}

/// A running server: store, media, control plane and web server.
final class Server: Sendable {
    let store: Records
    let media: MediaServer
    let control: ControlPlane
    let web: WebServer
    /// `/metrics` on an address of its own.
    private let metrics: WebServer?
    let log: Log
    let address: String
    /// Of the administrator, where a random one was made.
    let newPassword: String?
    private let following: Task<Void, Never>

    /// Starts everything, or nothing: what was started before a failure is stopped again.
    init(_ configuration: Configuration) async throws(CommandFailure) {
        log = Log(minimum: configuration.logLevel)
        let folder = configuration.data
        try DataFolder.prepare(folder, log)
        let connections = Self.connections(log)
        let directory = try Self.directory(configuration.directory)
        let tls = try Self.tls(configuration)
        do {
            store = Records(try await configuration.storePlace.open(now: Date()))
        } catch {
            let place = configuration.store.map { "--store \($0.shown)" } ?? "--data \(folder)"
            throw CommandFailure(code: ExitCode.of(error), line: "\(place): \(error)")
        }
        media = try Self.media(configuration)
        let counters = ServerCounters()
        do {
            var settings = ControlPlaneSettings()
            settings.publicURL = configuration.publicURL
            (settings.web, settings.metricsAreElsewhere) = (counters, configuration.metrics != nil)
            settings.sessionLifetime = TimeInterval(configuration.sessionHours * 3_600)
            (settings.auditDays, settings.auditArchive) = (configuration.auditDays, folder + "/audit")
            (settings.mediaSessionsPerLogin, settings.gateways) = (configuration.mediaSessionsPerLogin, configuration.gateways)
            let log = log
            control = try ControlPlane(
                store: store, media: media, settings: settings, directory: directory, pages: { Pages.answer($0) },
                log: { log.info("control", ["message": $0]) })
            newPassword = try await control.ensureAdministrator(password: configuration.adminPassword)
        } catch {
            await media.stop()
            await store.close()
            throw .input("\(configuration.directory ?? "directory.json"): \(error)")
        }
        do {
            var settings = WebServerConfiguration(
                host: configuration.host, port: configuration.port, tls: tls, subprotocols: ["nhipcau.v1"])
            settings.bodyLimit = 256 * 1_024
            settings.connectionLimit = connections
            settings.trustedProxies = configuration.trustedProxies
            web = try WebServer(configuration: settings, application: control, log: log, counters: counters)
        } catch {
            await media.stop()
            await store.close()
            throw Self.failure(error, configuration)
        }
        metrics = try await Self.metrics(configuration, control, log, stop: [web], media, store)
        let (control, shown) = (control, configuration.host == "127.0.0.1" || configuration.host == "*" ? "localhost" : configuration.host)
        address = configuration.publicURL ?? "\(tls == nil ? "http" : "https")://\(shown):\(web.port)"
        following = Task { await control.run() }
        Self.warn(configuration, log)
        if let problem = media.streamProblem {
            log.warning(
                "media-tcp",
                ["port": "\(media.port)", "reason": "\(problem)", "effect": "no ICE over TCP: networks that block UDP are out"])
        }
        log.info("listening", ["address": address, "media": "udp/\(media.port)"])
    }

    /// In order: people are told, sessions end, connections close, the store is closed.
    func stop() async {
        log.info("stopping")
        await control.stop()
        await media.stop()
        following.cancel()
        await web.stop()
        await metrics?.stop()
        await store.close()
        log.info("stopped")
    }

    /// Connections that file descriptors are left for, after media, store and what is spare. 4096 where there are enough.
    private static func connections(_ log: Log) -> Int {
        let (wanted, limit) = (WebServerConfiguration().connectionLimit, Descriptors.raise())
        // Media by TCP may take as many as it has places, of a small limit an eighth.
        let left = limit - Descriptors.open - Descriptors.spare - min(MediaServer.mostStreams, limit / 8)
        if left < wanted {
            log.warning(
                "few-file-descriptors",
                ["limit": "\(limit)", "connections": "\(max(8, left))", "advice": "LimitNOFILE= or ulimit -n \(wanted + 1_024) or more"])
        }
        return min(wanted, max(8, left))
    }

    private static func metrics(
        _ configuration: Configuration, _ control: ControlPlane, _ log: Log, stop web: [WebServer], _ media: MediaServer,
        _ store: Records
    ) async throws(CommandFailure) -> WebServer? {
        guard let place = configuration.metrics else { return nil }
        var settings = WebServerConfiguration(host: place.host, port: place.port)
        settings.connectionLimit = 64
        do {
            let server = try WebServer(configuration: settings, application: MetricsApplication(control), log: log)
            log.info("metrics-listening", ["address": "http://\(place.host):\(server.port)/metrics"])
            return server
        } catch {
            for one in web { await one.stop() }
            await media.stop()
            await store.close()
            throw failure(error, configuration, of: "--metrics", place)
        }
    }

    /// Passwords and cookies on the wire as they are: fine behind a proxy on the same machine, and where somebody says that it is meant.
    private static func warn(_ configuration: Configuration, _ log: Log) {
        guard configuration.tls == .none, !configuration.isPlainMeant, !configuration.isLoopback else { return }
        log.warning(
            "plain-http",
            [
                "listen": "\(configuration.host):\(configuration.port)",
                "advice": "use --tls, or say --plain-http meant where a proxy before this address speaks TLS",
            ])
    }

    private static func directory(_ path: String?) throws(CommandFailure) -> [UInt8] {
        if let path {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw .input("directory: \(path) cannot be read; name an existing file")
            }
            return [UInt8](data)
        }
        // Missing or unreadable is the same to the reader of the line below.
        guard let url = Bundle.module.url(forResource: "directory", withExtension: "json"), let data = try? Data(contentsOf: url) else {
            throw .input("directory.json: the built-in directory of sites is missing; name one with \"directory\" in the configuration")
        }
        return [UInt8](data)
    }

    private static func tls(_ configuration: Configuration) throws(CommandFailure) -> TLSFiles? {
        switch configuration.tls {
        case .none: return nil
        case .files(let certificate, let key):
            for file in [certificate, key] where !FileManager.default.isReadableFile(atPath: file) {
                throw .input("tls: \(file) cannot be read; name the PEM files of the certificate and its key")
            }
            return TLSFiles(certificate: certificate, key: key)
        case .selfSigned:
            do { return try SelfSignedCertificate.files(in: configuration.data + "/tls") } catch {
                throw CommandFailure(code: ExitCode.cannotCreate, line: "--tls self-signed: \(error)")
            }
        }
    }

    private static func media(_ configuration: Configuration) throws(CommandFailure) -> MediaServer {
        var settings = MediaServerConfiguration()
        settings.words = .usual
        settings.port = configuration.mediaPort
        settings.announced = configuration.mediaAddresses
        do {
            return try MediaServer(configuration: settings)
        } catch {
            switch error {
            case .portTaken(let port):
                throw CommandFailure(
                    code: ExitCode.unavailable,
                    line: "--media-port \(port): UDP port \(port) is taken; stop the program that has it or name another")
            case .cannotBind(let port, let reason):
                throw CommandFailure(code: ExitCode.unavailable, line: "--media-port \(port): \(reason)")
            case .badAddress(let address): throw .usage("--media-address: \"\(address)\" is no IP address")
            case .noAddress:
                throw CommandFailure(code: ExitCode.unavailable, line: "--media-address: this machine has no address that is up; name one")
            case .noIdentity(let reason):
                throw CommandFailure(code: ExitCode.unavailable, line: "no certificate for DTLS could be made: \(reason)")
            }
        }
    }

    private static func failure(
        _ error: WebServerError, _ configuration: Configuration, of flag: String = "--listen", _ place: (host: String, port: UInt16)? = nil
    ) -> CommandFailure {
        switch error {
        case .portTaken(let host, let port):
            CommandFailure(
                code: ExitCode.unavailable,
                line: "\(flag) \(host):\(port): TCP port \(port) is taken; stop the program that has it or name another")
        case .notAllowed(let host, let port):
            CommandFailure(
                code: ExitCode.unavailable,
                line:
                    "\(flag) \(host):\(port): this user may not open port \(port); take one above 1023 or give the service CAP_NET_BIND_SERVICE"
            )
        case .noSuchAddress(let host): .usage("\(flag): \"\(host)\" is no address of this machine")
        case .unreadable(let file): .input("tls: \(file) cannot be read")
        case .badCertificate(let reason): .input("tls: \(reason) is not a certificate with its key; both must be PEM and belong together")
        case .noService(let reason):
            CommandFailure(
                code: ExitCode.unavailable,
                line: "\(flag) \(place?.host ?? configuration.host):\(place?.port ?? configuration.port): \(reason)")
        }
    }
}

/// The browser's files, with the headers that keep them safe.
enum Pages {
    static func answer(_ request: HTTPRequest) -> HTTPResponse? {
        guard let file = WebPages.file(at: request.path) else { return nil }
        let etag = "\"\(file.etag)\""
        let headers = [
            (name: "Content-Type", value: file.contentType), (name: "ETag", value: etag), (name: "Cache-Control", value: "no-cache"),
            (name: "Content-Security-Policy", value: WebPages.contentSecurityPolicy), (name: "X-Content-Type-Options", value: "nosniff"),
            (name: "Referrer-Policy", value: "same-origin"), (name: "Permissions-Policy", value: "camera=(self), microphone=(self)"),
        ]
        if request.headers["if-none-match"] == etag { return HTTPResponse(status: 304, headers: headers) }
        return HTTPResponse(status: 200, headers: headers, body: file.body)
    }
}
