import Base
import Foundation
import ICE
import Net
import Peer
import RTP
import SDP

/// Endpoints without a screen, in this process: they join a meeting over the contract as any other client, send, and measure what they receive.
///
///     let endpoint = try HeadlessEndpoint(options)
///     try await endpoint.start()          // joined; media follows
///     let sofar = endpoint.report()       // at most 250 ms old
///     let report = await endpoint.stop()  // left
package final class HeadlessEndpoint: Sendable {
    /// Joins that are under way at once.
    private static let joinsAtOnce = 8
    package let options: EndpointOptions
    private let sound: SoundShelf?
    private let shelf: PictureShelf?
    private let identity: DTLSIdentity
    private let door: (any MeetingDoor)?
    private let loop = EndpointLoop()
    private let startedAt = Date.now
    private let began = MediaClock.now()
    private struct Joined {
        var client: (any MeetingDoor)?
        var locations: [URL] = []
        var channel: MeetingChannel?
    }
    private let joined = Guarded(Joined())

    /// Reads and encodes what is to be sent; touches no network.
    /// - Parameter door: where to join; nil is the server that the options name.
    package init(_ options: EndpointOptions, door: (any MeetingDoor)? = nil) throws(CommandFailure) {
        self.options = options
        self.door = door
        let sends = options.kind != .viewer
        sound = try sends ? EncodedSound.make(options.sound).map(SoundShelf.init) : nil
        let pictures = try sends ? EncodedPictures.make(options.pictures, label: options.label ?? options.name) : nil
        shelf = pictures.map(PictureShelf.init)
        do { identity = try DTLSIdentity() } catch {
            throw CommandFailure(code: ExitCode.software, line: "No certificate for DTLS: \(error)")
        }
    }

    /// Joins all. Returns when each was answered or refused.
    /// - Throws: `CommandFailure` where the server cannot be reached or refuses every one.
    package func start() async throws(CommandFailure) {
        let client: any MeetingDoor
        if let door { client = door } else { client = try await ContractClient(options) }
        joined.withLock { $0.client = client }
        loop.start()
        openChannel(token: client.token)
        var refusals: [CommandFailure] = []
        for base in stride(from: 0, to: options.count, by: Self.joinsAtOnce) {
            let batch = base..<min(base + Self.joinsAtOnce, options.count)
            refusals += await withTaskGroup(of: CommandFailure?.self) { group in
                for index in batch { group.addTask { await self.join(index, client) } }
                return await group.reduce(into: []) { if let failure = $1 { $0.append(failure) } }
            }
            // When the first ones are all turned away, so will be the rest.
            if refusals.count == batch.upperBound, let first = refusals.first {
                loop.stop()
                throw first
            }
        }
    }

    package func report() -> EndpointReport {
        EndpointReport(
            meeting: options.meeting, startedAt: startedAt, durationSeconds: (MediaClock.now() - began).seconds, endpoints: loop.reports)
    }

    /// Leaves and ends the thread.
    @discardableResult
    package func stop() async -> EndpointReport {
        let (client, locations, channel) = joined.withLock { state in
            defer { (state.locations, state.channel) = ([], nil) }
            return (state.client, state.locations, state.channel)
        }
        channel?.stop()
        loop.stop()
        // Cancelled, it only looks more often, a hundred times at most.
        for _ in 0..<100 where client != nil && !loop.hasEnded { try? await Task.sleep(for: .milliseconds(10)) }
        let report = report()
        guard let client else { return report }
        await withTaskGroup(of: Void.self) { group in
            for (index, location) in locations.enumerated() {
                if index >= Self.joinsAtOnce { await group.next() }
                group.addTask { await client.leave(location) }
            }
        }
        return report
    }

    /// Who sends pictures is told there how large they are wanted.
    private func openChannel(token: String) {
        guard shelf != nil, options.size == .tile, !token.isEmpty else { return }
        let loop = loop
        let channel = MeetingChannel(server: options.server, meeting: options.meeting, token: token) { message in
            loop.tell(PictureWishes(message: message))
        }
        channel?.start()
        joined.withLock { $0.channel = channel }
    }

    /// - Returns: why it was refused; that is also in the report.
    private func join(_ index: Int, _ client: any MeetingDoor) async -> CommandFailure? {
        var report = EndpointSessionReport(name: options.name(of: index), kind: options.kind.rawValue)
        let credentials = ICECredentials.random()
        let offerer = offerer(credentials)
        do throws(CommandFailure) {
            let asked = MediaClock.now()
            let join = try await client.join(
                offer: offerer.offer().description, meeting: options.meeting, name: report.name, site: options.site)
            joined.withLock { $0.locations.append(join.location) }
            report.joinMilliseconds = (MediaClock.now() - asked).seconds * 1_000
            report.location = join.location.absoluteString
            let configuration = try configuration(offerer, answer: join.answer, credentials)
            loop.record(report, index: index)
            loop.add(.init(index: index, configuration: configuration, report: report, options: options, sound: sound, shelf: shelf))
            return nil
        } catch {
            (report.state, report.problem) = (.refused, error.line)
            loop.record(report, index: index)
            return error
        }
    }

    private func configuration(_ offerer: Offerer, answer: String, _ credentials: ICECredentials) throws(CommandFailure)
        -> PeerConfiguration
    {
        let negotiated: NegotiatedSession
        do throws(SDPError) {
            negotiated = try offerer.session(from: SessionDescription(parsing: answer))
        } catch {
            throw CommandFailure(code: ExitCode.protocol, line: "\(options.server): the SDP answer cannot be used: \(error)")
        }
        var configuration = PeerConfiguration(
            role: .endpoint(seed: .random(in: .min ... .max)), identity: identity, localCredentials: credentials, negotiated: negotiated,
            cname: offerer.parameters.cname, seed: .random(in: .min ... .max), ntpAtStart: MediaClock.ntpAtStart())
        configuration.sendingTable = EndpointSession.table(shelf?.original, sound?.original)
        return configuration
    }

    private func offerer(_ credentials: ICECredentials) -> Offerer {
        let direction: Direction =
            switch options.kind {
            case .participant: .sendrecv
            case .publisher: .sendonly
            case .viewer: .recvonly
            }
        let ssrc = UInt32.random(in: 1...(.max - 4))
        var parameters = LocalParameters(
            credentials: credentials, fingerprint: identity.fingerprint, candidates: [], sessionID: .random(in: .min ... .max),
            cname: UUID().uuidString, streamID: UUID().uuidString, audio: .init(ssrc: ssrc, trackID: UUID().uuidString),
            video: .init(ssrc: ssrc + 1, rtxSSRC: ssrc + 2, trackID: UUID().uuidString))
        parameters.maxReceiveBitsPerSecond = options.limit
        return Offerer(parameters: parameters, audio: direction, video: options.media == .both ? direction : nil)
    }
}

extension HeadlessEndpoint {
    /// The path of a media file that is shipped with the program; nil where there is none of that name.
    package static func bundledMedia(_ name: String) -> String? { MediaFile.bundled(name) }

    /// The frames of an IVF file as endpoints send them where so many lines are wanted.
    package static func frames(of path: String, lines: Int) throws -> [[UInt8]] {
        guard let whole = try EncodedPictures.make(.file(path), label: "") else { return [] }
        let pictures = lines < whole.height ? try whole.scaled(to: lines & ~1) : whole
        return (0..<pictures.count).map { Array(pictures[$0]) }
    }
}
