import Base
import Foundation

/// What `nhipcau endpoint` was asked to do; also the arguments of the in-process `HeadlessEndpoint`.
package struct EndpointOptions: Sendable, Equatable {
    package enum Sound: Sendable, Equatable {
        case none
        /// A microphone that nobody speaks into: silence is not transmitted (DTX), but for a packet now and then.
        case silence
        /// The same in a room with a hum, or of a client without DTX: a packet each 20 ms, at −70 dBov.
        case hum
        /// Hz, 50 … 20 000.
        case tone(Int)
        /// Path of an Ogg Opus file, sent in a loop.
        case file(String)
        /// A burst of 1 kHz in the first 100 ms of each second of the machine's clock: the other side measures how late it is.
        case marks
    }

    package enum Pictures: Sendable, Equatable {
        case none
        /// 0xRRGGBB.
        case colour(UInt32)
        case pattern
        /// Path of an IVF file with VP8, sent in a loop.
        case file(String)
        /// As `pattern`, with a corner that flashes in the first 200 ms of each second.
        case marks
    }

    package enum Kind: String, Sendable, CaseIterable { case participant, publisher, viewer }
    /// What is offered.
    package enum Media: String, Sendable, CaseIterable { case both, audio }
    /// Of the pictures that are sent: no more lines than the largest tile needs that shows them, or all that they have.
    package enum Size: String, Sendable, CaseIterable { case tile, whole }
    package enum Decoding: String, Sendable, CaseIterable { case all, audio, none }

    /// Speaks for `on`, is silent for `off`, and so on; the first turn begins `offset` after the start.
    package struct Schedule: Sendable, Equatable {
        package var on: Duration
        package var off: Duration
        package var offset: Duration
        package init(on: Duration, off: Duration, offset: Duration) { (self.on, self.off, self.offset) = (on, off, offset) }
    }

    /// Most endpoints in one process.
    package static let mostEndpoints = 2_000
    package static let mostTones = 16

    package var server: URL
    package var token: String?
    package var username: String?
    package var password: String?
    package var meeting: String
    package var name: String
    package var site: String?
    package var kind = Kind.participant
    package var sound = Sound.none
    package var pictures = Pictures.none
    package var count = 1
    /// nil: until SIGINT or SIGTERM.
    package var duration: Duration?
    package var report: String?
    package var label: String?
    package var schedule: Schedule?
    /// Hz; the level of each is in the report.
    package var listenTones: [Int] = []
    package var decoding = Decoding.all
    package var size = Size.tile
    package var media = Media.both
    /// The most that it takes of a picture, bit/s: the server's choice of a tier follows it. nil says nothing.
    package var limit: Int?

    package init(server: URL, meeting: String, name: String) { (self.server, self.meeting, self.name) = (server, meeting, name) }

    /// Endpoint `index` of `count` carries a number behind its name.
    package func name(of index: Int) -> String { count == 1 ? name : "\(name) \(index + 1)" }
}

extension CommandFailure {
    static func misused(_ line: String) -> CommandFailure { .usage("endpoint: \(line) See `nhipcau help endpoint`.") }
    static func input(_ path: String, _ reason: String) -> CommandFailure { .input("\(path): \(reason)") }
}
