import Base
import TestSupport
import Testing

@testable import MCU

struct StreamBookTests {
    private let start = Instant(nanoseconds: 5_000_000_000)
    private let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 7, count: 12)
    private let sound: [UInt8] = [0x80, 111] + [UInt8](repeating: 1, count: 40)
    private var book = StreamBook()

    private func address(_ host: UInt32, _ port: UInt16 = 40_000) -> TransportAddress { TransportAddress(ipv4: host, port: port) }

    private mutating func open(_ host: UInt32, _ port: UInt16 = 40_000, at milliseconds: Int = 0) -> Int? {
        book.open(from: address(host, port), now: start + .milliseconds(milliseconds))?.stream
    }

    private mutating func take(_ frame: [UInt8], _ number: Int, isProven: Bool = false, at milliseconds: Int = 0) -> StreamBook.Ending? {
        book.take(frame.span.bytes, of: number, isProven: isProven, now: start + .milliseconds(milliseconds))
    }

    private func expect(_ ending: StreamBook.Ending?, _ wanted: StreamBook.Ending?, _ place: SourceLocation = #_sourceLocation) {
        #expect(ending == wanted, sourceLocation: place)
    }

    private func overdue(at milliseconds: Int, proven: Set<Int> = []) -> [StreamBook.Ending] {
        var ended: [(number: Int, ending: StreamBook.Ending)] = []
        book.overdue(now: start + .milliseconds(milliseconds), isProven: proven.contains, into: &ended)
        return ended.map(\.ending)
    }

    @Test mutating func `an address is one of a connection, apart from the same one of UDP and of another connection`() throws {
        let opened = [book.open(from: address(1), now: start), book.open(from: address(1), now: start)]
        let (first, second) = (try #require(opened[0]), try #require(opened[1]))
        #expect(first.isStream && !address(1).isStream && first != second && first != address(1))
        #expect(first.host == address(1).host && first.port == address(1).port)
    }

    @Test mutating func `what proves nothing within five seconds goes, and so does what speaks before a check`() throws {
        let opened = [open(1), open(2)]
        let (silent, talker) = (try #require(opened[0]), try #require(opened[1]))
        expect(take(sound, talker), .notSTUN)
        book.close(talker, .notSTUN)
        #expect(overdue(at: 5_000) == [] && overdue(at: 5_001) == [.unproven])
        #expect(overdue(at: 5_001, proven: [silent]) == [], "it was answered, though nothing came since")
        let third = open(3)
        let flood = try #require(third)
        for _ in 1...StreamBook.mostUnprovenFrames { expect(take(stun, flood), nil) }
        expect(take(stun, flood), .tooManyFrames)
    }

    @Test mutating func `who proved the password may send what it likes, and is idle after thirty seconds`() throws {
        let opened = open(1)
        let one = try #require(opened)
        expect(take(stun, one), nil)
        for number in 0..<1_000 { expect(take(sound, one, isProven: true, at: 20 * number), nil) }
        #expect(overdue(at: 19_980 + 30_000) == [] && overdue(at: 19_980 + 30_001) == [.idle])
    }

    @Test mutating func `who does not read for ten seconds goes, and who reads slowly stays`() throws {
        let opened = open(1)
        let one = try #require(opened)
        _ = take(stun, one, isProven: true)
        for second in 0..<60 {
            _ = take(sound, one, isProven: true, at: 1_000 * second)
            book.wrote(one, isStuck: true, moved: second < 30, now: start + .seconds(second))
        }
        #expect(overdue(at: 39_000) == [] && overdue(at: 39_001) == [.slowReader])
        book.wrote(one, isStuck: false, moved: true, now: start + .seconds(60))
        #expect(overdue(at: 62_000) == [])
    }

    @Test mutating func `one address has sixteen connections that proved nothing and sixty-four in all, and others have theirs`() throws {
        var numbers: [Int] = []
        for port in 0..<200 as Range<UInt16> {
            guard let number = open(1, port) else { break }
            numbers.append(number)
        }
        #expect(numbers.count == StreamBook.mostUnproven && book.refused == 1)
        for number in numbers { _ = take(stun, number, isProven: true) }
        while let number = open(1, 1) {
            _ = take(stun, number, isProven: true)
            numbers.append(number)
        }
        #expect(numbers.count == StreamBook.mostOfAddress)
        let other = open(2)
        #expect(other != nil)
        book.close(numbers[0], .closedByPeer)
        let again = [open(1), open(1)]
        #expect(again[0] != nil && again[1] == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    mutating func `whatever comes and goes, places are given once, and all are free in the end`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        book = StreamBook(most: 100)
        var present: [Int: UInt32] = [:]
        for step in 0..<5_000 {
            if Bool.random(using: &random) {
                let host = UInt32.random(in: 1...5, using: &random)
                if let number = open(host, at: step) {
                    #expect(present.updateValue(host, forKey: number) == nil)
                    if Bool.random(using: &random) { _ = take(stun, number, isProven: true, at: step) }
                }
            } else if let number = present.keys.sorted().randomElement(using: &random) {
                book.close(number, .closedByPeer)
                book.close(number, .idle)
                present[number] = nil
            }
            #expect(book.count == present.count && present.count <= 100)
        }
        for number in present.keys { book.close(number, .closedByPeer) }
        #expect(book.count == 0)
        // Nothing is left that counts against an address.
        for port in 0..<UInt16(StreamBook.mostUnproven) {
            let opened = open(1, port)
            #expect(opened != nil)
        }
    }
}
