import Base
import Foundation
import RTP
import Video

/// The threads and what they share: workers, mixers, codec pool, directory, events. Made once by `MediaServer`.
final class MediaCore: Sendable {
    let workers: [MediaWorker]
    let mixers: [MixerThread]
    let codecs: CodecPool
    /// TCP connections, where there are any.
    let streams = StreamThread()
    let directory = SessionDirectory()
    let events = EventHub()
    let pictures = PicturePool(capacity: 256)
    private let gone = Guarded(Composer.Counters())
    private let soundOfGone = Guarded(AudioMixer.Counters())
    let configuration: MediaServerConfiguration
    private let bridges = Guarded<[UUID: (bridge: Bridge, mixer: Int)]>([:])

    init(configuration: MediaServerConfiguration) {
        self.configuration = configuration
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        workers = (0..<(configuration.workers ?? cores)).map { MediaWorker(index: $0) }
        mixers = (0..<max(1, cores / 2)).map { MixerThread(index: $0, voices: configuration.loudestVoices) }
        codecs = CodecPool(threads: configuration.codecThreads ?? cores)
    }

    /// Puts a participant into the meeting's bridge, which is made with the first one.
    /// - Returns: nil where the meeting has `capacity` sessions already.
    func join(_ participant: Participant, meeting: UUID, capacity: Int) -> Bridge? {
        bridges.withLock { bridges in
            if let known = bridges[meeting]?.bridge {
                guard known.members.count < capacity else { return nil }
                known.add(participant)
                return known
            }
            guard capacity > 0 else { return nil }
            let bridge = Bridge(meeting: meeting, core: self)
            bridge.add(participant)
            // The mixer with the fewest meetings takes it.
            let load = mixers.indices.map { index in bridges.values.count { $0.mixer == index } }
            let mixer = load.indices.min { load[$0] < load[$1] } ?? 0
            bridges[meeting] = (bridge, mixer)
            mixers[mixer].add(bridge)
            return bridge
        }
    }

    func existingBridge(of meeting: UUID) -> Bridge? { bridges.withLock { $0[meeting]?.bridge } }

    private let soundLinesOfGone = Guarded(JitterBuffer.Statistics())

    /// What became of the sound of sessions that have left.
    var linesOfGone: JitterBuffer.Statistics { soundLinesOfGone.withLock { $0 } }

    func left(_ participant: Participant) {
        let statistics = participant.soundStatistics
        soundLinesOfGone.withLock { $0.add(statistics) }
    }

    /// What was counted of meetings that have ended.
    var picturesOfGone: Composer.Counters { gone.withLock { $0 } }

    /// Of all meetings, those that have ended included.
    var soundCounters: AudioMixer.Counters {
        var total = soundOfGone.withLock { $0 }
        for bridge in allBridges { total.add(bridge.soundCounters) }
        return total
    }

    var allBridges: [Bridge] { bridges.withLock { $0.values.map(\.bridge) } }

    /// After the threads have ended: what waited for them is let go, and nothing holds the core any more.
    func close() {
        let all = bridges.withLock { bridges in
            defer { bridges.removeAll() }
            return bridges.values.map(\.bridge)
        }
        for bridge in all { bridge.composer.forget() }
        for worker in workers { worker.forget() }
        for mixer in mixers { mixer.forget() }
        directory.forget()
        events.finish()
    }

    /// The last session has left: mixer and composer are released.
    func bridgeIsEmpty(_ bridge: Bridge) {
        bridges.withLock { bridges in
            // Somebody may have joined in between.
            guard bridge.members.isEmpty, let known = bridges[bridge.meeting], known.bridge === bridge else { return }
            bridges[bridge.meeting] = nil
            gone.withLock { $0.add(bridge.pictureCounters) }
            soundOfGone.withLock { $0.add(bridge.soundCounters) }
            mixers[known.mixer].remove(bridge)
        }
    }
}
