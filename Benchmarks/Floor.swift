import CFloor
import COpus
import CVPX
import Endpoint
import Foundation
import RTP
import Video

/// What the bare libraries and calls cost for one frame or packet, in seconds of one core, measured in this run. The frames of all senders are decoded in
/// turn and then the tiers encoded, as in a meeting: a decoder that has the processor's cache for itself would flatter nobody but the floor.
struct Floor {
    /// Nothing, for each tier of the server's table.
    static let noTier = TierTable.usual.tiers.map { _ in 0.0 }
    var videoDecode = 0.0
    /// By tier.
    var videoEncode = Self.noTier
    /// The same as the server sets libvpx up.
    var ownEncode = Self.noTier
    var opusDecode = 0.0
    var opusEncode = 0.0
    /// Seal of packets as small as sound and as large as a picture's.
    var sealSmall = 0.0
    var sealLarge = 0.0
    var sendSmall = 0.0
    /// Seven together, a picture at tier high.
    var sendLarge = 0.0
    /// The same through io_uring; negative where the kernel has none for us. For comparison alone.
    var ringSmall = 0.0
    var ringLarge = 0.0
    /// Seal and send to as many listeners as the case has, each with its key and its socket; nil where that was not asked for.
    var listenerSmall: Double?
    var listenerLarge: Double?
    var receiveSmall = 0.0
    var receiveLarge = 0.0
    /// Bytes of a picture's packet.
    static let large = 1_200
    static let small = 130

    /// Of the pictures that are decoded.
    var lines = 360

    /// - Parameters:
    ///   - lines: of the senders' pictures; nil: as the clip has them.
    ///   - listeners: more than 0 to measure seal and send to so many.
    init(senders: Int, lines: Int? = nil, listeners: Int = 0) throws {
        guard let clip = HeadlessEndpoint.bundledMedia("clip-person-360p.ivf"),
            let speech = HeadlessEndpoint.bundledMedia("speech-vi-hagiang.ogg")
        else { throw BenchError(description: "the bundled media are not installed") }
        let ivf = try IVFReader(parsing: [UInt8](Data(contentsOf: URL(filePath: clip))))
        self.lines = min(lines ?? ivf.height, ivf.height)
        let frames = try HeadlessEndpoint.frames(of: clip, lines: self.lines)
        (videoDecode, videoEncode, ownEncode) = try Codecs.videoSeconds(ivf, frames: frames, senders: senders)
        (opusEncode, opusDecode) = try Codecs.opusSeconds(speech)
        (sealSmall, sealLarge) = (floor_seal(Int32(Self.small), 60_000), floor_seal(Int32(Self.large), 40_000))
        (sendSmall, sendLarge) = (floor_send(Int32(Self.small), 1, 30_000), floor_send(Int32(Self.large), 7, 60_000))
        (ringSmall, ringLarge) = (floor_send_ring(Int32(Self.small), 1, 20_000), floor_send_ring(Int32(Self.large), 7, 50_000))
        (receiveSmall, receiveLarge) = (floor_receive(Int32(Self.small), 30_000), floor_receive(Int32(Self.large), 30_000))
        if listeners > 0 {
            // Half a second each of the beat that a meeting has.
            let (small, large) = (Int32(Self.small), Int32(Self.large))
            listenerSmall = floor_listeners(Int32(listeners), small, 1, 25, 0.02)
            listenerLarge = floor_listeners(Int32(listeners), large, 7, 12, 0.04)
        }
        guard sendSmall > 0, sendLarge > 0, receiveSmall > 0, receiveLarge > 0, sealSmall > 0 else {
            throw BenchError(description: "the network's floor cannot be measured here")
        }
    }

    /// nil where there are none.
    init?(meanOf floors: [Floor]) {
        guard var mean = floors.first else { return nil }
        func average(_ value: (Floor) -> Double) -> Double { floors.reduce(0) { $0 + value($1) } / Double(floors.count) }
        for path in Self.parts { mean[keyPath: path] = average { $0[keyPath: path] } }
        if mean.listenerSmall != nil { mean.listenerSmall = average { $0.listenerSmall ?? 0 } }
        if mean.listenerLarge != nil { mean.listenerLarge = average { $0.listenerLarge ?? 0 } }
        self = mean
    }

    private static var parts: [WritableKeyPath<Floor, Double>] {
        noTier.indices.flatMap { [\Floor.videoEncode[$0], \Floor.ownEncode[$0]] } + [
            \.videoDecode, \.opusDecode, \.opusEncode, \.sealSmall, \.sealLarge, \.sendSmall, \.sendLarge, \.ringSmall, \.ringLarge,
            \.receiveSmall, \.receiveLarge,
        ]
    }

    var figures: [Figure] {
        let listeners = [("130 bytes, one by one", listenerSmall), ("1200 bytes, seven together", listenerLarge)].compactMap {
            name, value in
            value.map { Figure(name: "seal and send \(name), to 300 with keys of their own", value: $0 * 1e6, unit: "µs") }
        }
        let tiers = zip(TierTable.usual.tiers, zip(videoEncode, ownEncode)).flatMap { tier, cost in
            [("", cost.0), (", as the server does it", cost.1)].map { how, seconds in
                Figure(name: "VP8 encode \(tier.width)×\(tier.height), \(tier.label)\(how)", value: seconds * 1e3, unit: "ms")
            }
        }
        return listeners + tiers + [
            Figure(name: "VP8 decode, \(lines) lines", value: videoDecode * 1e3, unit: "ms"),
            Figure(name: "Opus decode 20 ms", value: opusDecode * 1e3, unit: "ms"),
            Figure(name: "Opus encode 20 ms", value: opusEncode * 1e3, unit: "ms"),
            Figure(name: "seal 130 bytes", value: sealSmall * 1e6, unit: "µs"),
            Figure(name: "seal 1200 bytes", value: sealLarge * 1e6, unit: "µs"),
            Figure(name: "send 130 bytes, one by one", value: sendSmall * 1e6, unit: "µs"),
            Figure(name: "send 1200 bytes, seven together", value: sendLarge * 1e6, unit: "µs"),
            Figure(name: "send 130 bytes, io_uring", value: ringSmall * 1e6, unit: "µs"),
            Figure(name: "send 1200 bytes, seven together, io_uring", value: ringLarge * 1e6, unit: "µs"),
            Figure(name: "receive 130 bytes", value: receiveSmall * 1e6, unit: "µs"),
            Figure(name: "receive 1200 bytes", value: receiveLarge * 1e6, unit: "µs"),
        ]
    }

    /// Seal and send of packets to listeners with keys and sockets of their own; nil where that was not measured.
    func listenerSeconds(of work: Work) -> Double? {
        guard let listenerSmall, let listenerLarge, listenerSmall > 0, listenerLarge > 0 else { return nil }
        return work.soundSent * listenerSmall + max(0, work.sent - work.soundSent) * listenerLarge
    }

    /// What the codecs need for a second of this meeting, in seconds: for comparing two floors.
    func codecSeconds(of work: Work) -> Double {
        var sum = work.videoDecoded * videoDecode + work.opusDecoded * opusDecode + work.opusEncoded * opusEncode
        for tier in ownEncode.indices { sum += work.encoded[tier] * ownEncode[tier] }
        return sum
    }

    /// The floor of what a server handled.
    /// - Parameter own: with libvpx set up as the server does, which is faster than `cpu-used` −8 alone.
    func seconds(of work: Work, own: Bool = false) -> Double {
        var sum = work.videoDecoded * videoDecode + work.opusDecoded * opusDecode + work.opusEncoded * opusEncode
        for tier in ownEncode.indices { sum += work.encoded[tier] * (own ? ownEncode : videoEncode)[tier] }
        let (smallSent, largeSent) = (work.soundSent, max(0, work.sent - work.soundSent))
        sum += smallSent * (sealSmall + sendSmall) + largeSent * (sealLarge + sendLarge)
        let (smallReceived, largeReceived) = (min(work.soundReceived, work.received), max(0, work.received - work.soundReceived))
        sum += smallReceived * (receiveSmall + sealSmall) + largeReceived * (receiveLarge + sealLarge)
        return sum
    }
}

/// What a server handled in the measured time, as its own counters say.
struct Work {
    var videoDecoded = 0.0
    var encoded = Floor.noTier
    var opusDecoded = 0.0
    var opusEncoded = 0.0
    var sent = 0.0
    /// Of these, packets of sound.
    var soundSent = 0.0
    var received = 0.0
    var soundReceived = 0.0

    mutating func add(_ other: Work) {
        videoDecoded += other.videoDecoded
        for tier in encoded.indices { encoded[tier] += other.encoded[tier] }
        opusDecoded += other.opusDecoded
        opusEncoded += other.opusEncoded
        sent += other.sent
        soundSent += other.soundSent
        received += other.received
        soundReceived += other.soundReceived
    }
}
