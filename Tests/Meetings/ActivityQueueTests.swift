import Foundation
import Testing

@testable import Meetings

struct ActivityQueueTests {
    private func participant(speaks: Bool = false) -> Participant {
        var one = Participant(
            id: UUID(), name: "Sơn La", site: nil, role: .participant, kind: .participant, joinedAt: Date(timeIntervalSince1970: 0),
            user: UUID())
        one.media.isSpeaking = speaks
        return one
    }

    @Test func `of a hundred and fifty that begin to speak at once a few a second are told of, each once and as it is by then`() {
        var queue = ActivityQueue()
        var hall: [UUID: Participant] = [:]
        for _ in 0..<150 {
            var one = participant()
            queue.note(one)
            one.media.isSpeaking = true
            hall[one.id] = one
        }
        var told: [UUID] = []
        for second in 0..<(150 / ActivityQueue.mostAtOnce) {
            let taken = queue.take { hall[$0] }
            #expect(taken.count == ActivityQueue.mostAtOnce && taken.allSatisfy { $0.media.isSpeaking }, "\(second)")
            told += taken.map(\.id)
        }
        #expect(Set(told).count == 150 && queue.count == 0 && queue.take { hall[$0] }.isEmpty)
    }

    @Test func `who is again as was told, who left, and of whom everybody was told otherwise, costs nothing`() {
        var queue = ActivityQueue()
        let (back, gone, known, other) = (participant(), participant(), participant(), participant())
        for one in [back, gone, known, other] { for _ in 0..<3 { queue.note(one) } }
        queue.forget(known.id)
        var (now, measured) = (other, back)
        now.media.isSendingAudio = true
        measured.media.level = -20
        measured.media.line.lossUp = 0.1
        let hall = [back.id: measured, known.id: known, other.id: now]
        #expect(queue.take { hall[$0] } == [now] && queue.count == 0)
    }

    @Test func `a mute, a name or a place is no activity, and is told at once`() {
        let before = participant()
        var (speaks, muted, left) = (before, before, before)
        (speaks.media.isSpeaking, speaks.media.level, speaks.media.width) = (true, -9, 640)
        muted.isMuted = true
        (left.media.isConnected, left.media.isSpeaking) = (true, true)
        #expect(speaks.differsInActivityAlone(from: before))
        #expect(!muted.differsInActivityAlone(from: before) && !left.differsInActivityAlone(from: before))
    }
}
