import Base
import Testing

@testable import Net

struct StreamOutletTests {
    private let outlet = StreamOutlet(most: 4)
    private let address = TransportAddress(ipv4: 0xc000_0201, port: 5_000).ofStream(2)

    private func send(_ datagram: [UInt8], to address: TransportAddress) -> Bool { outlet.send(datagram.span, to: address) }

    private func waiting() -> [Int] {
        var numbers: [Int] = []
        outlet.takeWaiting(into: &numbers)
        return numbers
    }

    @Test func `datagrams leave framed and in order, and the writer is called once until it has written`() {
        outlet.open(address)
        #expect(!outlet.isAnswered(2))
        #expect(send([1, 2, 3], to: address) && send([4], to: address) && outlet.isAnswered(2))
        #expect(waiting() == [2] && waiting() == [])
        var bytes: [UInt8] = []
        outlet.take(2, into: &bytes)
        #expect(bytes == [0, 3, 1, 2, 3, 0, 1, 4])
        outlet.wrote(2, left: 3)
        #expect(send([5], to: address) && waiting() == [], "it is at it")
        outlet.wrote(2, left: 0)
        bytes = []
        outlet.take(2, into: &bytes)
        #expect(bytes == [0, 1, 5])
        outlet.wrote(2, left: 0)
        #expect(send([6], to: address) && waiting() == [2])
    }

    @Test func `a connection that takes nothing loses datagrams, whole ones`() {
        outlet.open(address)
        let datagram = [UInt8](repeating: 9, count: 1_200)
        var taken = 0
        while send(datagram, to: address) { taken += 1 }
        #expect(taken == StreamOutlet.mostWaiting / 1_202)
        #expect(outlet.counted == .init(sent: UInt64(taken), dropped: 1))
        var bytes: [UInt8] = []
        outlet.take(2, into: &bytes)
        #expect(bytes.count == taken * 1_202 && !send(datagram, to: address), "what is being written counts")
    }

    @Test func `what is for a connection that is gone, or for another at its place, is lost`() {
        #expect(!send([1], to: address))
        outlet.open(address)
        #expect(!send([1], to: TransportAddress(ipv4: 0xc000_0201, port: 5_001).ofStream(2)))
        #expect(!send([1], to: TransportAddress(ipv4: 0xc000_0201, port: 5_000)))
        #expect(!send([1], to: TransportAddress(ipv4: 0xc000_0201, port: 5_000).ofStream(99)))
        #expect(send([1], to: address))
        outlet.close(address)
        #expect(!send([1], to: address) && !outlet.isAnswered(2))
        outlet.open(address)
        var bytes: [UInt8] = []
        outlet.take(2, into: &bytes)
        #expect(bytes == [], "what was for the one before it is not written to the next")
    }
}
