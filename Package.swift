// swift-tools-version: 6.2
import PackageDescription

// Every C library comes from Debian; `Makefile` installs what is missing. No Swift package is named here, on purpose: DESIGN.md, Dependencies.

let swiftSettings: [SwiftSetting] = [.treatAllWarnings(as: .error)]
/// Rooms on the way of each packet: debug builds, and so all unit tests, check exclusive access at run time; release builds rely on that
/// (docs/decisions/exclusivity.md).
let packetSettings = swiftSettings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// A room of the house: `Sources/<name>`, which imports the rooms and C libraries named.
func room(
    _ name: String, _ dependencies: [String] = [], resources: [Resource]? = nil, exclude: [String] = [],
    settings: [SwiftSetting] = swiftSettings
) -> Target {
    .target(
        name: name, dependencies: dependencies.map { .byName(name: $0) }, exclude: exclude, resources: resources,
        swiftSettings: settings)
}

/// The tests of a room: `Tests/<name>`.
func tests(_ name: String, _ dependencies: [String] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: Set([name, "Base", "TestSupport"] + dependencies).sorted().map { .byName(name: $0) },
        path: "Tests/\(name)", exclude: exclude, swiftSettings: swiftSettings)
}

func system(_ name: String, _ pkgConfig: String? = nil, _ debian: String...) -> Target {
    .systemLibrary(name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: debian.isEmpty ? nil : [.apt(debian)])
}

let package = Package(
    name: "nhipcau",
    products: [.executable(name: "nhipcau", targets: ["nhipcau"])],
    targets: [
        system("COpus", "opus", "libopus-dev"),
        system("CVPX", "vpx", "libvpx-dev"),
        system("CSRTP", "libsrtp2", "libsrtp2-dev"),
        system("COpenSSL", "openssl", "libssl-dev"),
        system("CWebSockets", "libwebsockets", "libwebsockets-dev"),
        system("CSQLite", "sqlite3", "libsqlite3-dev"),
        system("CPostgres", "libpq", "libpq-dev"),
        system("CYUV", nil, "libyuv-dev"),
        system("CPango", "pangocairo", "libpango1.0-dev"),
        system("CSockets"),
        system("CMalloc"),
        system("CCache"),

        room("Base", settings: packetSettings),
        room("Net", ["Base", "CSockets"], settings: packetSettings),
        room("RTP", ["Base", "CCache"], settings: packetSettings),
        room("ICE", ["Base", "RTP", "COpenSSL"], settings: packetSettings),
        room("SDP", ["Base", "RTP", "ICE"]),  // after ICE: it names credentials (docs/decisions/sdp-after-ice.md)
        room("Peer", ["Base", "RTP", "SDP", "ICE", "COpenSSL", "CSRTP", "CCache"], settings: packetSettings),
        room("Audio", ["Base", "RTP", "COpus"]),
        room("Video", ["Base", "RTP", "CVPX", "CYUV", "CPango"]),
        room("MCU", ["Base", "Net", "RTP", "SDP", "ICE", "Peer", "Audio", "Video", "CCache"]),
        room("Formats"),
        room("Store", ["Base", "Formats", "CSQLite", "CPostgres", "COpenSSL"]),
        room("Meetings", ["Base"]),
        room("Lines"),
        room("Records", ["Base", "Formats", "Meetings", "Store"]),
        room("WebServer", ["Base", "CWebSockets", "COpenSSL"]),
        room(
            "ControlPlane", ["Base", "Formats", "Meetings", "Lines", "Store", "Records", "MCU", "WebServer", "COpenSSL", "CMalloc"],
            resources: [.copy("api")]),
        room("WebPages", resources: [.copy("site")]),
        room("Endpoint", ["Base", "Net", "RTP", "SDP", "ICE", "Peer", "Audio", "Video", "CWebSockets"], resources: [.copy("media")]),
        .executableTarget(
            name: "nhipcau",
            dependencies: [
                "ControlPlane", "Formats", "MCU", "Store", "Records", "WebServer", "WebPages", "Endpoint", "Meetings", "Lines", "CMalloc",
            ],
            resources: [.copy("directory.json")], swiftSettings: swiftSettings),

        .target(name: "TestSupport", dependencies: ["Base", "RTP"], path: "Tests/Support", swiftSettings: swiftSettings),
        tests("Base"),
        tests("Net"),
        tests("RTP"),
        tests("SDP", ["ICE"], exclude: ["vectors"]),
        tests("ICE", exclude: ["vectors"]),
        tests("Peer", ["RTP", "SDP", "ICE"]),
        tests("Audio", ["RTP"]),
        tests("Video", ["RTP"]),
        tests("MCU", ["Net", "RTP", "SDP", "ICE", "Peer", "Audio", "Video"]),
        tests("Formats"),
        tests("Meetings"),
        tests("Lines"),
        tests("Store", ["Formats"]),
        tests("Records", ["Formats", "Meetings", "Store"]),
        tests("WebServer"),
        tests("ControlPlane", ["Formats", "Meetings", "Lines", "Store", "Records", "MCU", "WebServer"]),
        tests("WebPages"),
        tests("Endpoint", ["RTP", "Peer", "Audio", "Video"]),
        tests("nhipcau", ["Endpoint", "WebServer"]),

        .target(name: "CFloor", dependencies: ["COpenSSL"], path: "Benchmarks/floor"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "Base", "Net", "RTP", "SDP", "ICE", "Peer", "Audio", "Video", "MCU", "Endpoint", "COpus", "CVPX", "CYUV", "CPango",
                "CFloor",
            ], path: "Benchmarks", exclude: ["hook", "floor"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
