import Audio
import Base
import Foundation
import ICE
import Net
import Peer
import RTP
import SDP

/// One endpoint in the loop: its socket, peer, players and measures. Touched by the loop's thread only.
final class EndpointSession {
    /// What the loop needs in order to make one; it crosses from the task that joined.
    struct Ticket: Sendable {
        var index: Int
        var configuration: PeerConfiguration
        var report: EndpointSessionReport
        var options: EndpointOptions
        var sound: SoundShelf?
        var shelf: PictureShelf?
    }

    let index: Int
    let socket: UDPSocket
    let peer: Peer
    private var soundPlayer: SoundPlayer?
    private var picturePlayer: PicturePlayer?
    private var encodedSound: EncodedSound? { ticket.sound?.original }
    private var soundChoice = SoundChoice()
    private var nextSoundLook = Instant.start
    private static let soundLookInterval = Duration.seconds(1)
    /// Earlier packets, and the present one with them; made with the first loss.
    private var redundancy: RedundantAudioWriter?
    private var redundantPayload: [UInt8] = []
    private var encodedPictures: EncodedPictures?
    /// Lines that were asked for, until they are sent.
    private var linesAwaited: Int?
    private var linesWanted: Int?
    private let ticket: Ticket
    private var receivedSound: ReceivedSound
    private var receivedPictures: ReceivedPictures
    private var report: EndpointSessionReport
    private let began: Instant
    private var connectedAt: Instant?
    /// How long the line was too thin for pictures, without the time since `heldSince`.
    private var held = Duration.zero
    private var heldSince: Instant?
    /// The peer is being given a picture: what it then wants is no wish of the server's.
    private var isGivingPicture = false
    private(set) var isClosed = false

    init(_ ticket: Ticket, now: Instant) throws {
        index = ticket.index
        self.ticket = ticket
        report = ticket.report
        seat = ticket.report.location.flatMap { URL(string: $0)?.lastPathComponent }
        began = now
        encodedPictures = ticket.shelf?.original
        socket = try Self.socket()
        peer = try Peer(configuration: ticket.configuration, now: now)
        receivedPictures = ReceivedPictures(decodes: ticket.options.decoding == .all)
        receivedSound = try ReceivedSound(decodes: ticket.options.decoding != .none, tones: ticket.options.listenTones)
        var sink = EndpointSink(session: self)
        peer.start(now: now, sink: &sink)
    }

    private static func socket() throws(CommandFailure) -> UDPSocket {
        do {
            return try UDPSocket(buffer: 1 << 20)
        } catch {
            guard case .refused(let reason) = error else { throw CommandFailure(code: ExitCode.system, line: "No UDP socket: \(error).") }
            throw CommandFailure(code: ExitCode.system, line: "No UDP socket: \(reason). For many endpoints raise `ulimit -n`.")
        }
    }

    var isDecoding: Bool { ticket.options.decoding != .none }

    /// When `tick` is due.
    var deadline: Instant {
        let pictures = peer.isAskedToPauseVideo || peer.holdsPictures ? nil : picturePlayer?.deadline
        return min(peer.deadline ?? .distantFuture, soundPlayer?.deadline ?? .distantFuture, pictures ?? .distantFuture)
    }

    /// The session's id, as the channel names it.
    let seat: String?

    /// The server says how many lines the largest tile needs that shows the picture.
    func wants(lines: Int) {
        guard lines != linesWanted else { return }
        linesWanted = lines
        linesAwaited = lines
    }

    /// Goes over to another size as soon as it is there.
    private func followWish(now: Instant) {
        guard let lines = linesAwaited, let pictures = ticket.shelf?.pictures(lines: lines) else { return }
        linesAwaited = nil
        guard pictures !== encodedPictures else { return }
        encodedPictures = pictures
        picturePlayer?.change(to: pictures)
        if let table = Self.table(pictures, encodedSound) { peer.setSendingTable(table, now: now) }
    }

    /// What the line must carry for pictures beside the sound; nil where there are none.
    static func table(_ pictures: EncodedPictures?, _ sound: EncodedSound?) -> TierTable? {
        pictures.flatMap { TierTable.ready(pictures: $0.lineBitsPerSecond, sound: sound?.lineBitsPerSecond ?? 0) }
    }

    /// Takes what waits in the socket.
    func receive(into buffer: inout [UInt8]) {
        var sink = EndpointSink(session: self)
        // Bounded, so that one endpoint under a flood does not starve the others.
        for _ in 0..<64 {
            guard let (count, source) = socket.receive(into: &buffer) else { return }
            buffer.withUnsafeMutableBufferPointer { room in
                var datagram = UnsafeMutableBufferPointer(rebasing: room[..<count]).mutableSpan
                peer.handle(&datagram, from: source, now: MediaClock.now(), sink: &sink)
            }
        }
    }

    /// Timers and what is due to be sent.
    func tick(now: Instant) {
        var sink = EndpointSink(session: self)
        if let deadline = peer.deadline, deadline <= now { peer.handleTimer(now: now, sink: &sink) }
        if linesAwaited != nil { followWish(now: now) }
        sendSound(now: now, sink: &sink)
        sendPictures(now: now, sink: &sink)
    }

    func close(now: Instant) {
        var sink = EndpointSink(session: self)
        peer.close(now: now, sink: &sink)
    }

    func summary(now: Instant) -> EndpointSessionReport {
        var summary = report
        let statistics = peer.statistics
        summary.connectedSeconds = connectedAt.map { (now - $0).seconds } ?? 0
        summary.sound = receivedSound.summary()
        summary.picture = receivedPictures.summary(now: now)
        summary.picture.firstMilliseconds = receivedPictures.first.map { (report.joinMilliseconds ?? 0) + ($0 - began).seconds * 1_000 }
        summary.line = LineReport(statistics, dropped: peer.drops.total &+ socket.dropped)
        summary.sent.audioPackets = statistics.audioPacketsSent
        summary.sent.videoFrames = statistics.videoFramesSent
        summary.sent.lines = encodedPictures?.height ?? 0
        summary.sent.picturesHeldSeconds = (held + (heldSince.map { now - $0 } ?? .zero)).seconds
        return summary
    }

    private func sendSound(now: Instant, sink: inout EndpointSink) {
        guard soundPlayer != nil else { return }
        if now >= nextSoundLook { chooseSound(now: now) }
        while let deadline = soundPlayer?.deadline, deadline <= now {
            guard let due = soundPlayer?.take(now: now), let sound = soundPlayer?.sound else { continue }
            let packet = sound.packets[due.packet]
            if packet.isEmpty { continue }
            let level = sound.levels[due.packet]
            let earlier = addRedundancy(packet, samples: sound.durations[due.packet], timestamp: due.timestamp)
            let payload = earlier > 0 ? redundantPayload : packet
            peer.sendAudio(
                payload.span.extracting(0..<earlier + packet.count), timestamp: due.timestamp, captured: due.captured, marker: due.isFirst,
                level: level, redundancy: earlier, now: now, sink: &sink)
        }
    }

    private func chooseSound(now: Instant) {
        nextSoundLook = now + Self.soundLookInterval
        soundChoice.look(loss: peer.statistics.lossDown, lineBitsPerSecond: peer.lineBitsPerSecond)
        guard let form = soundChoice.form == .thin ? ticket.sound?.thinSound() : encodedSound else { return }
        soundPlayer?.change(to: form)
    }

    /// - Returns: bytes in `redundantPayload` before the packet, 0 where it goes alone.
    private func addRedundancy(_ packet: [UInt8], samples: Int, timestamp: UInt32) -> Int {
        guard soundChoice.form == .redundant, peer.takesRedundantAudio, samples == AudioFormat.samplesPerTick else {
            redundancy = nil
            return 0
        }
        if redundancy == nil { redundancy = RedundantAudioWriter() }
        if redundantPayload.isEmpty { redundantPayload = [UInt8](repeating: 0, count: RedundantAudioWriter.room) }
        var room = redundantPayload.mutableSpan
        let number = Int64(timestamp) / Int64(samples)
        return redundancy?.write(packet.span, number: number, samples: samples, into: &room).redundancy ?? 0
    }

    private func sendPictures(now: Instant, sink: inout EndpointSink) {
        // The loop begins anew with a key frame when it goes on.
        guard let pictures = encodedPictures, !isHolding(now: now), !peer.isAskedToPauseVideo else { return }
        while !peer.holdsPictures, let deadline = picturePlayer?.deadline, deadline <= now {
            guard let due = picturePlayer?.take(now: now) else { continue }
            let bytes = pictures[due.frame]
            let frame = PacketisedFrame(bytes.span, isKeyFrame: pictures.isKey(due.frame), timestamp: due.timestamp, captured: due.captured)
            isGivingPicture = true
            if !peer.sendVideo(frame, now: now, sink: &sink) { picturePlayer?.refused() }
            isGivingPicture = false
        }
    }

    /// Whether the line has no room for pictures; keeps account of it.
    private func isHolding(now: Instant) -> Bool {
        guard peer.holdsPictures, picturePlayer != nil else {
            if let since = heldSince {
                held += now - since
                heldSince = nil
                picturePlayer?.resume(now: now)
            }
            return false
        }
        if heldSince == nil { heldSince = now }
        return true
    }
}

// What the peer tells.
extension EndpointSession {
    func connected() {
        let now = MediaClock.now()
        connectedAt = now
        report.state = .connected
        report.connectMilliseconds = (now - began).seconds * 1_000
        if ticket.options.kind == .viewer { return }
        soundPlayer = encodedSound.map { SoundPlayer($0, schedule: ticket.options.schedule, start: now) }
        picturePlayer = encodedPictures.map { PicturePlayer($0, start: now) }
    }

    func received(_ packet: ReceivedAudio, payload: Span<UInt8>) { receivedSound.take(packet, payload: payload) }

    func received(_ frame: ReceivedVideo, bytes: Span<UInt8>) { receivedPictures.take(frame, bytes: bytes) }

    func wantsKeyFrame() {
        // The player knows what did not leave.
        guard !isGivingPicture else { return }
        report.sent.keyFramesAsked += 1
        picturePlayer?.restart(now: MediaClock.now())
    }

    func closed(_ reason: PeerCloseReason) {
        isClosed = true
        if let since = heldSince { (held, heldSince) = (held + (MediaClock.now() - since), nil) }
        (soundPlayer, picturePlayer) = (nil, nil)
        report.state = .closed
        if reason != .closedHere { report.problem = reason.rawValue }
    }
}

/// The peer's way to the session. A value around a reference: the peer takes it generically, without a box.
struct EndpointSink: PeerSink {
    let session: EndpointSession
    mutating func send(_ datagram: Span<UInt8>, to address: TransportAddress) { session.socket.send(datagram, to: address) }
    mutating func connected() { session.connected() }
    mutating func received(_ packet: ReceivedAudio, payload: Span<UInt8>) { session.received(packet, payload: payload) }
    mutating func received(_ frame: ReceivedVideo, bytes: Span<UInt8>) { session.received(frame, bytes: bytes) }
    mutating func wantsKeyFrame() { session.wantsKeyFrame() }
    mutating func closed(_ reason: PeerCloseReason) { session.closed(reason) }
}

extension LineReport {
    init(_ statistics: PeerStatistics, dropped: UInt64) {
        self.init()
        (packetsReceived, packetsSent) = (statistics.packetsReceived, statistics.packetsSent)
        (bytesReceived, bytesSent) = (statistics.bytesReceived, statistics.bytesSent)
        roundTripMilliseconds = statistics.roundTripMilliseconds
        lossReported = Double(statistics.packetsReportedLost) / Double(max(1, statistics.packetsReported))
        bitsPerSecond = statistics.lineBitsPerSecond
        (nacksSent, retransmissionsSent) = (statistics.nacksSent, statistics.retransmissionsSent)
        (keyFramesRequested, self.dropped) = (statistics.keyFramesRequested, dropped)
    }
}
