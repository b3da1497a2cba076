import Base
import ControlPlane
import Endpoint
import Foundation
import Meetings

/// `nhipcau demo`: a server on an embedded store, and simulated provinces that join it over the contract as anybody would.
enum Demo {
    private static let title = "Hội nghị giao ban toàn quốc"
    /// Codes of the directory: from the far north to the Mekong delta.
    private static let provinces = ["02", "04", "12", "14", "10", "38", "46", "66", "64", "77", "94", "91"]
    private static let speeches = ["speech-vi-hagiang.ogg", "speech-vi-daklak.ogg", "speech-vi-soctrang.ogg", "speech-vi-chair.ogg"]
    /// Seconds of each turn to speak.
    private static let turn = 12

    static func run(_ words: [String]) async throws(CommandFailure) -> Int32 {
        DataFolder.closeToOthers()
        var (configuration, given) = try Configuration.parse(words, of: "demo", extra: ["--sites"])
        configuration.adminPassword = ProcessSecrets.take("NHIPCAU_ADMIN_PASSWORD")
        var sites = provinces.count
        if let text = given["--sites"] {
            guard let number = Int(text), (1...25).contains(number) else { throw .usage("--sites: \"\(text)\" is not 1 to 25") }
            sites = number
        }
        let folder = try dataFolder(given["--data"], &configuration)
        // A demonstration that cannot clear up after itself has shown what it should; the folder is a temporary one.
        defer { if given["--data"] == nil { try? FileManager.default.removeItem(atPath: folder) } }
        if given["--listen"] == nil, given["--config"] == nil { configuration.port = freePort(from: configuration.port) }
        if given["--media-port"] == nil, given["--config"] == nil { configuration.mediaPort = 0 }
        if given["--log-level"] == nil { configuration.logLevel = .warning }
        // All simulated sites come with one login.
        configuration.gateways[ControlPlane.demoUsername] = sites
        let server = try await Server(configuration)
        let meeting: DemoMeeting
        do { meeting = try await server.control.makeDemoMeeting(title: title) } catch {
            await server.stop()
            throw CommandFailure(code: ExitCode.unavailable, line: "demo: the meeting could not be made: \(error)")
        }
        print("Các điểm cầu đang vào họp… / sites are joining…")
        Serve.flush()
        let endpoints = await join(sites, server, meeting)
        let signals = await Signals()
        show(server, meeting, joined: endpoints.count)
        await signals.wait(onHangUp: {})
        print("\nĐang kết thúc… / ending…")
        Serve.flush()
        await withTaskGroup(of: Void.self) { group in for endpoint in endpoints { group.addTask { _ = await endpoint.stop() } } }
        await server.stop()
        return 0
    }

    private static func dataFolder(_ given: String?, _ configuration: inout Configuration) throws(CommandFailure) -> String {
        if given == nil { configuration.data = NSTemporaryDirectory() + "nhipcau-demo-\(UUID().uuidString)" }
        return configuration.data
    }

    /// The port itself, or the next one that nobody listens on.
    private static func freePort(from first: UInt16) -> UInt16 {
        for port in first..<min(first + 50, .max) where !isTaken(port) {
            if port != first { print("Cổng \(first) đang bận, dùng cổng \(port). / Port \(first) is taken, using \(port).") }
            return port
        }
        return first
    }

    private static func isTaken(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let outcome = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        return outcome != 0
    }

    /// Every province joins with its moving picture; they speak in turns. One that cannot join is said and left out.
    private static func join(_ count: Int, _ server: Server, _ meeting: DemoMeeting) async -> [HeadlessEndpoint] {
        guard let url = URL(string: "http\(server.address.hasPrefix("https") ? "s" : "")://127.0.0.1:\(server.web.port)") else { return [] }
        let names = server.control.siteNames
        var endpoints: [HeadlessEndpoint] = []
        for index in 0..<count {
            let code = provinces[index % provinces.count]
            var options = EndpointOptions(server: url, meeting: meeting.id.text, name: names[code] ?? code)
            (options.token, options.site, options.decoding) = (meeting.token, code, .none)
            options.pictures = .pattern
            if let path = HeadlessEndpoint.bundledMedia(speeches[index % speeches.count]) { options.sound = .file(path) }
            options.schedule = .init(on: .seconds(turn), off: .seconds(turn * (count - 1)), offset: .seconds(turn * index))
            do throws(CommandFailure) {
                let endpoint = try HeadlessEndpoint(options)
                try await endpoint.start()
                endpoints.append(endpoint)
            } catch {
                print("\(options.name): \(error.line)")
            }
        }
        return endpoints
    }

    private static func show(_ server: Server, _ meeting: DemoMeeting, joined: Int) {
        print(
            """

            \(title): \(joined) điểm cầu / sites

              Mở trong trình duyệt / open in a browser:
                \(server.address)/meetings/\(meeting.id.text)

              Tài khoản / account:   admin
              Mật khẩu / password:   \(server.newPassword ?? "(NHIPCAU_ADMIN_PASSWORD, or of this data folder)")

            Ctrl-C để kết thúc / to end.
            """)
        Serve.flush()
    }
}
