import Audio
import Base
import RTP
import TestSupport
import Testing

@testable import Endpoint

struct PlayerTests {
    let start = Instant(sinceStart: .milliseconds(12_345))

    @Test func `a tone goes out as a packet each 20 ms, also when the loop wakes late`() throws {
        let sound = try #require(try EncodedSound.make(.tone(440)))
        var player = SoundPlayer(sound, schedule: nil, start: start)
        var sent: [SoundPlayer.Due] = []
        for time in stride(from: 0, through: 2_000, by: 70) {
            let now = start + .milliseconds(time)
            while player.deadline <= now { if let due = player.take(now: now) { sent.append(due) } }
        }
        #expect(sent.count == 99 && sent.map(\.timestamp) == (0..<99).map { UInt32(960 * $0) })
        #expect(sent[0].isFirst && !sent[1].isFirst && sent[60].packet == 10)
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1.captured - $0.captured == .milliseconds(20) })
    }

    @Test func `after a long sleep there is no burst`() throws {
        let sound = try #require(try EncodedSound.make(.tone(440)))
        var player = SoundPlayer(sound, schedule: nil, start: start)
        let now = start + .seconds(10)
        var sent = 0
        while player.deadline <= now { if player.take(now: now) != nil { sent += 1 } }
        #expect(sent <= 2)
    }

    @Test func `turns are as the schedule says and each begins the speech anew`() throws {
        let path = try #require(MediaFile.bundled("speech-vi-daklak.ogg"))
        let sound = try #require(try EncodedSound.make(.file(path)))
        let schedule = EndpointOptions.Schedule(on: .seconds(2), off: .seconds(3), offset: .seconds(1))
        var player = SoundPlayer(sound, schedule: schedule, start: start)
        var sent: [SoundPlayer.Due] = []
        for time in stride(from: 0, to: 11_000, by: 10) {
            if let due = player.take(now: start + .milliseconds(time)) { sent.append(due) }
        }
        #expect(sent.count == 200 && sent.filter(\.isFirst).map(\.packet) == [0, 0])
        #expect(sent.allSatisfy { (1...3).contains(($0.captured - start).seconds) || (6...8).contains(($0.captured - start).seconds) })
    }

    @Test func `a thin line's sound is the same in packets of 60 ms, and the loop goes over to it and back without a hole`() throws {
        let path = try #require(MediaFile.bundled("speech-vi-daklak.ogg"))
        let usual = try #require(try EncodedSound.make(.file(path)))
        let thin = try #require(try usual.thinned())
        #expect(thin.durations.reduce(0, +) == usual.durations.reduce(0, +))
        #expect(thin.lineBitsPerSecond < 30_000 && usual.lineBitsPerSecond > 50_000)
        var player = SoundPlayer(usual, schedule: nil, start: start)
        var (next, packets, long) = (UInt32(0), 0, 0)
        for tick in 0..<3_000 {
            if tick % 150 == 70 { player.change(to: player.sound === usual ? thin : usual) }
            let now = start + .milliseconds(20 * tick)
            while player.deadline <= now {
                let taken = player.take(now: now)
                let due = try #require(taken)
                #expect(due.timestamp == next)
                // The loop's place goes on too.
                #expect(player.sound.starts[due.packet] == Int(next) % usual.durations.reduce(0, +))
                next += UInt32(player.sound.durations[due.packet])
                (packets, long) = (packets + 1, long + (player.sound === thin ? 1 : 0))
            }
        }
        #expect(long > 450 && packets > 1_900)
        // Loud where the usual form is: a tick of the one lies in a packet of the other.
        let loud = thin.levels.indices.filter { thin.levels[$0] > -30 }
        let alike = loud.filter { place in (-1...3).contains { usual.levels[max(0, min(usual.levels.count - 1, 3 * place + $0))] > -36 } }
        #expect(loud.count > 40 && alike.count > loud.count * 9 / 10)
    }

    @Test func `marks have no thin form, and silence stays silent in it`() throws {
        #expect(try EncodedSound.make(.marks)?.thinned() == nil)
        let thin = try #require(try EncodedSound.make(.silence)?.thinned())
        #expect(thin.packets.contains { $0.isEmpty })
    }

    @Test func `the form of sound follows the line, worse at once and better after calm`() {
        var choice = SoundChoice()
        func after(_ looks: Int, _ loss: Double, _ line: Int?) -> SoundChoice.Form {
            for _ in 0..<looks { choice.look(loss: loss, lineBitsPerSecond: line) }
            return choice.form
        }
        #expect(after(1, 0, nil) == .usual && after(1, 0.1, nil) == .redundant && after(5, 0, nil) == .redundant)
        #expect(after(1, 0.02, nil) == .redundant && after(9, 0, nil) == .redundant && after(1, 0, nil) == .usual)
        // No room for redundancy; then not for sound as it is.
        #expect(after(1, 0.1, 250_000) == .usual && after(1, 0.1, 64_000) == .thin && after(20, 0, 150_000) == .thin)
        #expect(after(4, 0, 500_000) == .thin && after(1, 0, 500_000) == .usual)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `marks belong to the beginning of a second of the clock, whenever the player began`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sound = try #require(try EncodedSound.make(.marks))
        let start = Instant(nanoseconds: .random(in: 0..<10_000_000_000, using: &random))
        var player = SoundPlayer(sound, schedule: nil, start: start)
        for _ in 0..<120 {
            let taken = player.take(now: player.deadline)
            let due = try #require(taken)
            #expect(due.captured.nanoseconds % 1_000_000_000 / 20_000_000 == Int64(due.packet))
        }
    }

    @Test func `pictures keep their rate, and a wish for a key frame restarts the loop, not more than twice a second`() throws {
        let path = try #require(MediaFile.bundled("clip-person-360p.ivf"))
        let pictures = try #require(try EncodedPictures.make(.file(path), label: ""))
        #expect(pictures.count == 250 && pictures.isKey(0) && pictures.interval == .milliseconds(40))
        var player = PicturePlayer(pictures, start: start)
        var frames: [Int] = []
        for index in 0..<50 {
            let now = start + .milliseconds(40 * index)
            if (20..<25).contains(index) { player.restart(now: now) }
            if let due = player.take(now: now) {
                frames.append(due.frame)
                #expect(due.timestamp == UInt32(3_600 * index))
            }
        }
        #expect(frames == Array(0..<20) + Array(0..<30))
        let afterSleep = player.take(now: start + .seconds(60))
        #expect(afterSleep?.frame == 0)  // very late: a new beginning, not a burst
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `no picture leaves whose predecessor did not, whatever the line refuses and for however long it is held`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // Key frames at the beginning and in the middle.
        var frames: [(bytes: [UInt8], isKey: Bool)] = []
        for number in 0..<40 as Range<UInt8> {
            let isKey = number % 20 == 0
            frames.append((bytes: [isKey ? 0 : 1, number], isKey: isKey))
        }
        let pictures = EncodedPictures(frames: frames, isAligned: false)
        var player = PicturePlayer(pictures, start: start)
        var (now, isHeld, last) = (start, false, -1)
        var timestamps: [UInt32] = []
        for _ in 0..<2_000 {
            now += .milliseconds(10)
            if Int.random(in: 0..<100, using: &random) == 0 {
                isHeld.toggle()
                if !isHeld {
                    player.resume(now: now)
                    last = -1
                }
            }
            while !isHeld, player.deadline <= now {
                guard let due = player.take(now: now) else { continue }
                #expect(pictures.isKey(due.frame) || due.frame == last + 1, "\(due.frame) after \(last)")
                guard Int.random(in: 0..<50, using: &random) > 0 else {
                    player.refused()
                    last = -1
                    continue
                }
                last = due.frame
                timestamps.append(due.timestamp)
            }
        }
        #expect(timestamps.count > 100 && zip(timestamps, timestamps.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `what loops take on the line is counted with their headers`() throws {
        let key = (bytes: [UInt8](repeating: 0, count: 5_900), isKey: true)
        let frames = [key] + Array(repeating: (bytes: [UInt8](repeating: 1, count: 100), isKey: false), count: 24)
        let pictures = EncodedPictures(frames: frames, isAligned: false)
        #expect(pictures.lineBitsPerSecond == (5_900 + 5 * 72 + 24 * 172) * 8)
        let sound = try #require(try EncodedSound.make(.tone(440)))
        #expect((60_000...90_000).contains(sound.lineBitsPerSecond))
        let table = try #require(EndpointSession.table(pictures, sound))
        let need = table[table.least].neededBitsPerSecond
        #expect(table.tiers.count == 2 && abs(need - pictures.lineBitsPerSecond * 11 / 10 - sound.lineBitsPerSecond) <= 1)
        #expect(EndpointSession.table(nil, sound) == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `a damaged IVF file is read or refused, never a crash`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bytes = try MediaFile.read(try #require(MediaFile.bundled("clip-pattern-180p.ivf")), atMost: EncodedPictures.mostBytes)
        for _ in 0..<20 { bytes[Int.random(in: 0..<400, using: &random)] = .random(in: 0...255, using: &random) }
        bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        if let pictures = try? EncodedPictures(ivf: bytes) { for index in 0..<pictures.count { #expect(!pictures[index].isEmpty) } }
    }
}

struct PictureLoopTests {
    @Test func `marks are key frames in step with the seconds of the clock, and a wish for a key frame does not shift them`() throws {
        let pictures = try #require(try EncodedPictures.make(.marks, label: ""))
        #expect(pictures.count == 25 && (0..<25).allSatisfy { pictures.isKey($0) })
        var player = PicturePlayer(pictures, start: Instant(nanoseconds: 1_234_567_890))
        #expect(player.deadline == Instant(nanoseconds: 2_000_000_000))
        for index in 0..<60 {
            if index == 7 { player.restart(now: player.deadline) }
            let taken = player.take(now: player.deadline)
            #expect(taken?.frame == index % 25)
        }
    }

    @Test func `a flash in the corner is found and its lateness is that of the second`() throws {
        let pictures = try #require(try EncodedPictures.make(.marks, label: ""))
        let decoder = PictureDecoder()
        var marks = FlashMarks()
        for index in 0..<50 {
            let decoded = try decoder.decode(Array(pictures[index % 25]).span)
            let picture = try #require(decoded)
            marks.take(picture, arrival: Instant(nanoseconds: Int64(index) * 40_000_000 + 30_000_000))
        }
        // The first flash cannot be told from a picture that is white anyway: only the second counts.
        #expect(marks.latencies == [30])
    }
}
