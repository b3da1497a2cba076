import Testing

@testable import Base

struct MailboxTests {
    @Test func `the first command into an empty box wakes the reader, the next ones do not`() {
        let box = Mailbox<Int>(capacity: 3)
        #expect(box.post(1) == true)
        #expect(box.post(2) == false)
        var batch: [Int] = []
        box.drain(into: &batch)
        #expect(batch == [1, 2])
        #expect(box.post(3) == true)
    }

    @Test func `a full box refuses and keeps what it has`() {
        let box = Mailbox<Int>(capacity: 2)
        #expect(box.post(1) != nil && box.post(2) != nil)
        #expect(box.post(3) == nil)
        var batch = [9]
        box.drain(into: &batch)
        #expect(batch == [1, 2])
    }

    @Test func `what may not be lost is taken by a full box, in its turn`() {
        let box = Mailbox<Int>(capacity: 2)
        #expect(box.insist(1) && box.post(2) == false)
        #expect(box.post(3) == nil && !box.insist(4))
        var batch: [Int] = []
        box.drain(into: &batch)
        #expect(batch == [1, 2, 4])
    }
}
