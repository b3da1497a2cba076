import Testing

@testable import MCU

struct HandshakeQueueTests {
    @Test func `a turn handles its share, the rest in the order in which it came`() {
        var queue = HandshakeQueue<Int>()
        let share = HandshakeQueue<Int>.perTurn
        var handled: [Int] = []
        for number in 0..<share * 2 + 3 {
            if queue.admits() {
                handled.append(number)
            } else if !queue.postpone(number) {
                Issue.record("dropped too early")
            }
        }
        #expect(handled == Array(0..<share) && queue.count == share + 3)
        let early = queue.take()
        #expect(early == nil)
        queue.beginTurn()
        while let number = queue.take() { handled.append(number) }
        #expect(handled == Array(0..<2 * share) && queue.count == 3)
        // Who comes now stands behind those that wait.
        queue.beginTurn()
        let (isAdmitted, isKept) = (queue.admits(), queue.postpone(99))
        #expect(!isAdmitted && isKept)
        while let number = queue.take() { handled.append(number) }
        #expect(handled == Array(0..<2 * share + 3) + [99] && queue.count == 0)
        let goesAtOnce = queue.admits()
        #expect(goesAtOnce)
    }

    @Test func `what waits is bounded`() {
        var queue = HandshakeQueue<Int>()
        let most = HandshakeQueue<Int>.mostWaiting
        let kept = (0...most).map { queue.postpone($0) }
        #expect(kept == Array(repeating: true, count: most) + [false] && queue.count == most)
        queue.beginTurn()
        let (first, hasRoom) = (queue.take(), queue.postpone(5))
        #expect(first == 0 && hasRoom)
    }
}
