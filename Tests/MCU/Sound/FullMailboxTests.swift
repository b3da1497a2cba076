import Base
import Foundation
import Testing

@testable import MCU

/// What may not be lost though a thread is far behind: that it ends, that a session ends, and which meetings have sound.
struct FullMailboxTests {
    private let core = MediaCore(configuration: MediaServerConfiguration())

    @Test func `a worker whose mailbox is full hears that it must stop`() {
        let worker = MediaWorker(index: 0)
        while worker.post(.requestKeyFrame(session: UUID(), source: 0)) {}
        worker.stop()
        var batch: [MediaCommand] = []
        worker.drain(into: &batch)
        let isLast = if case .stop? = batch.last { true } else { false }
        #expect(isLast)
        #expect(worker.counters.refusedCommands == 1)
    }

    @Test func `a worker whose mailbox is full hears that a session ends`() {
        let worker = MediaWorker(index: 0)
        while worker.post(.requestKeyFrame(session: UUID(), source: 0)) {}
        let gone = UUID()
        worker.insist(.close(session: gone, .left))
        var batch: [MediaCommand] = []
        worker.drain(into: &batch)
        let isLast = if case .close(gone, .left)? = batch.last { true } else { false }
        #expect(isLast)
    }

    @Test func `a meeting gets its sound, and loses it, however much was asked of the mixer before`() {
        let mixer = MixerThread(index: 0, voices: 5)
        let (kept, gone, late) = (
            Bridge(meeting: UUID(), core: core), Bridge(meeting: UUID(), core: core), Bridge(meeting: UUID(), core: core)
        )
        var (mixers, version): ([AudioMixer], Int) = ([], 0)
        mixer.add(kept)
        #expect(mixer.follow(&mixers, version: &version) && mixers.count == 1)
        let first = mixers[0]
        for _ in 0..<10_000 {
            mixer.add(gone)
            mixer.remove(gone)
        }
        mixer.add(late)
        #expect(mixer.follow(&mixers, version: &version))
        #expect(mixers.map { ObjectIdentifier($0.bridge) } == [kept, late].map { ObjectIdentifier($0) })
        // Its decoders and encoders go on where they were.
        #expect(mixers[0] === first)
        mixer.remove(kept)
        #expect(mixer.follow(&mixers, version: &version) && mixers.count == 1 && mixers[0].bridge === late)
        core.close()
    }

    @Test func `a mixer of whom much was asked hears that it must stop`() {
        let mixer = MixerThread(index: 0, voices: 5)
        let bridge = Bridge(meeting: UUID(), core: core)
        for _ in 0..<10_000 {
            mixer.add(bridge)
            mixer.remove(bridge)
        }
        mixer.start()
        // Returns when the thread has ended, and not before.
        mixer.stop()
        var (mixers, version): ([AudioMixer], Int) = ([], 0)
        #expect(!mixer.follow(&mixers, version: &version) && mixers.isEmpty)
        core.close()
    }
}
