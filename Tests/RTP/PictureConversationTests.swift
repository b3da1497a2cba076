import Base
import RTP
import TestSupport
import Testing

struct PictureConversationTests {
    /// Six seconds of a bad line over both wraps, then one of a good one, and the rest of what is under way.
    private func talk(seed: UInt64, loss: Int, duplication: Int = 10, jitter: Duration = .milliseconds(30)) -> PictureConversation {
        var talk = PictureConversation(seed: seed, loss: loss, duplication: duplication, jitter: jitter)
        talk.run(.seconds(6))
        (talk.forward.loss, talk.backward.loss) = (0, 0)
        talk.run(.seconds(1))
        talk.run(.seconds(2), isSilent: true)
        return talk
    }

    @Test(arguments: 0..<12 as Range<UInt64>, [0, 2, 8, 25])
    func `each picture comes once, whole, in order and decodable, and at the end nothing is left`(seed: UInt64, loss: Int) throws {
        let talk = talk(seed: seed, loss: loss)
        let first = try #require(talk.received.first)
        #expect(!talk.isStuck && !talk.isAltered && talk.received.count > 20 && talk.sent[first].isKey && talk.packetsSent > 300)
        var gaps = 0
        for (earlier, later) in zip(talk.received, talk.received.dropFirst()) where later != earlier + 1 {
            gaps += 1
            #expect(later > earlier && talk.sent[later].isKey)
        }
        // Only what was given up is missing, and on a line that loses little nothing is.
        #expect(gaps <= talk.giveUps && (talk.giveUps == 0 || loss > 2))
        #expect(loss == 0 || talk.repairs > 0)
        #expect(talk.nack.deadline == nil && talk.assembler.deadline == nil && talk.feedback.deadline == nil)
        #expect(!talk.assembler.needsKeyFrame && talk.received.last == talk.sent.count - 1)
        #expect(talk.forward.nextArrival == nil && talk.backward.nextArrival == nil)
    }

    @Test(arguments: 0..<8 as Range<UInt64>, [0, 8])
    func `reports count over the wrap what the line really lost, and the time of a round trip`(seed: UInt64, loss: Int) throws {
        let talk = talk(seed: seed, loss: loss)
        let block = try #require(talk.lastBlock)
        let (first, last) = (try #require(talk.places.min()), try #require(talk.places.max()))
        #expect(block.cumulativeLost == Int32(last - first + 1 - talk.places.count))
        #expect(Int(block.extendedHighestSequence >> 16) == 1)
        // 25 ms each way, and up to 30 ms late; 1/65536 s is lost to rounding.
        #expect(!talk.roundTrips.isEmpty && talk.roundTrips.allSatisfy { $0 > 49.9 && $0 < 110.1 })
        #expect(talk.jitters.count > 20 && talk.jitters.allSatisfy { $0 < 30 })
    }

    @Test(arguments: 0..<8 as Range<UInt64>, [0, 8])
    func `feedback says only of what came that it came, and its last word on each packet is right`(seed: UInt64, loss: Int) {
        // No doubles of feedback on the way back: it is what is told that counts here.
        var talk = PictureConversation(seed: seed, loss: 0, duplication: 0, jitter: .milliseconds(30))
        talk.forward.loss = loss
        talk.forward.duplication = 10
        talk.run(.seconds(6))
        talk.run(.seconds(1), isSilent: true)
        var last: [UInt16: Instant?] = [:]
        for one in talk.told {
            // What was told of as here is not taken back.
            if let before = last[one.number], before != nil { #expect(one.arrival != nil) }
            last[one.number] = .some(one.arrival)
        }
        let missed = last.filter { number, said in said == nil && talk.arrivals[number] != nil }
        #expect(missed.isEmpty)
        #expect(talk.lost <= talk.forward.lost)
        var wrong = 0
        for one in talk.told {
            guard let said = one.arrival else { continue }
            guard let arrival = talk.arrivals[one.number], abs((arrival - said).nanoseconds) <= 500_000 else {
                wrong += 1
                continue
            }
        }
        #expect(wrong == 0 && talk.told.count > 300)
        #expect(Set(talk.deliveries.map(\.number)).count == talk.deliveries.count)
    }
}
