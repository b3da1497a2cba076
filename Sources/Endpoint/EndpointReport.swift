import Foundation
import RTP

/// What one process's endpoints received and sent: the JSON of `--report`. Fields are only ever added; `docs/endpoint.md` describes them.
package struct EndpointReport: Codable, Sendable, Equatable {
    package var version = 1
    package var meeting: String
    package var startedAt: Date
    package var durationSeconds: Double
    package var endpoints: [EndpointSessionReport]

    package init(meeting: String, startedAt: Date, durationSeconds: Double, endpoints: [EndpointSessionReport]) {
        self.meeting = meeting
        self.startedAt = startedAt
        self.durationSeconds = durationSeconds
        self.endpoints = endpoints
    }

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(self)
    }
}

package struct EndpointSessionReport: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable { case refused, connecting, connected, closed }
    package var name: String
    package var kind: String
    package var state = State.connecting
    /// Why it was refused or closed before its time.
    package var problem: String?
    /// The session's address on the server.
    package var location: String?
    /// From the request to the answer.
    package var joinMilliseconds: Double?
    /// From the answer to the end of the DTLS handshake.
    package var connectMilliseconds: Double?
    package var connectedSeconds = 0.0
    package var sound = SoundReport()
    package var picture = PictureReport()
    package var line = LineReport()
    package var sent = SentReport()
    package init(name: String, kind: String) { (self.name, self.kind) = (name, kind) }
}

package struct SoundReport: Codable, Sendable, Equatable {
    package var packets: UInt64 = 0
    package var lost: UInt64 = 0
    package var late: UInt64 = 0
    package var lossFraction = 0.0
    package var jitterMilliseconds = 0.0
    /// dBov over everything received.
    package var level: Double?
    /// Hz, the one that was found most often.
    package var dominantFrequency: Double?
    /// dB relative to a full-scale sine, for each tone asked.
    package var tones: [String: Double] = [:]
    /// Silences of the line: longer than 60 ms between two packets.
    package var gaps = 0
    package var longestGapMilliseconds = 0.0
    /// What a listener with a jitter buffer of 60 ms would have to make up, 0 … 1: packets lost, and those later than that.
    package var concealedFraction = 0.0
    package var decodeErrors: UInt64 = 0
    /// Of the marks of a sender on this machine.
    package var latencyMilliseconds: Spread?
    /// Where the sound is decoded.
    package var buffer: SoundBufferReport?
    package init() {}
}

/// What the jitter buffer did to the sound.
package struct SoundBufferReport: Codable, Sendable, Equatable {
    /// How long after its promptest arrival sound should be played, and was played last.
    package var targetMilliseconds: Double
    package var delayMilliseconds: Double
    /// Packets' time that was made up.
    package var concealed: UInt64
    /// Packets that were lost, and of them those taken from their successors' error correction.
    package var lost: UInt64
    package var recovered: UInt64
    /// Packets that came with later ones in time, and so were not lost here.
    package var restored: UInt64
    /// Packets that came after their turn, twice, or were left out.
    package var late: UInt64
    package var duplicate: UInt64
    package var discarded: UInt64
    /// Periods cut out of the sound and said twice, so that the delay was right.
    package var shortenedMilliseconds: Double
    package var lengthenedMilliseconds: Double

    package init(_ counted: JitterBuffer.Statistics) {
        targetMilliseconds = counted.targetMilliseconds
        delayMilliseconds = counted.delayMilliseconds
        concealed = counted.concealed
        lost = counted.lost
        recovered = counted.recovered
        restored = counted.restored
        late = counted.late
        duplicate = counted.duplicate
        discarded = counted.discarded
        shortenedMilliseconds = Double(counted.samplesShortened) / 48
        lengthenedMilliseconds = Double(counted.samplesLengthened) / 48
    }
}

package struct PictureReport: Codable, Sendable, Equatable {
    package var frames = 0
    package var keyFrames = 0
    package var width = 0
    package var height = 0
    package var framesPerSecond = 0.0
    package var longestIntervalMilliseconds = 0.0
    /// Intervals longer than 200 ms.
    package var freezes = 0
    package var bytes: UInt64 = 0
    package var decoded = 0
    package var decodeErrors = 0
    /// From asking to join to the first picture.
    package var firstMilliseconds: Double?
    package var latencyMilliseconds: Spread?
    package init() {}
}

package struct LineReport: Codable, Sendable, Equatable {
    package var packetsReceived: UInt64 = 0
    package var packetsSent: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var roundTripMilliseconds: Double?
    /// Of everything that was sent, as the server tells, before it was sent again; 0 … 1.
    package var lossReported = 0.0
    /// What the line to the server was found to carry, headers included; nil where that is not known, or more than the endpoint needs.
    package var bitsPerSecond: Int?
    package var nacksSent: UInt64 = 0
    package var retransmissionsSent: UInt64 = 0
    package var keyFramesRequested: UInt64 = 0
    package var dropped: UInt64 = 0
    package init() {}
}

package struct SentReport: Codable, Sendable, Equatable {
    package var audioPackets: UInt64 = 0
    package var videoFrames: UInt64 = 0
    package var keyFramesAsked = 0
    /// Of the picture that is sent now: fewer than it has where the server says that its tile needs no more.
    package var lines = 0
    /// How long no picture was sent, since the line carries sound alone.
    package var picturesHeldSeconds = 0.0
    package init() {}
}

/// Few numbers for many.
package struct Spread: Codable, Sendable, Equatable {
    package var count: Int
    package var least: Double
    package var median: Double
    package var most: Double

    /// - Returns: nil for no values.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        count = sorted.count
        least = first
        median = sorted[sorted.count / 2]
        most = last
    }
}
