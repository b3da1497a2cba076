import Base
import Formats
import Foundation
import MCU
import Meetings
import Records
import Store
import TestSupport
import Testing
import WebServer

@testable import ControlPlane

/// A reader of the channel that keeps what it is told.
final class FakeConnection: WebSocketConnection {
    private struct State {
        var texts: [String] = []
        var closedWith: UInt16?
        var isFull = false
    }
    private let state = Guarded(State())
    let messages: AsyncStream<String> = AsyncStream { $0.finish() }

    func send(_ text: String) -> Bool {
        state.withLock { state in
            if !state.isFull { state.texts.append(text) }
            return !state.isFull
        }
    }
    func close(code: UInt16, reason: String) { state.withLock { $0.closedWith = $0.closedWith ?? code } }
    /// From now on it takes nothing.
    func stopReading() { state.withLock { $0.isFull = true } }
    var closedWith: UInt16? { state.withLock { $0.closedWith } }

    /// What came since the last look.
    func take() -> [JSONValue] {
        let texts = state.withLock { state in
            defer { state.texts = [] }
            return state.texts
        }
        return texts.compactMap { try? JSONValue(parsing: Array($0.utf8)) }
    }
    func takeBytes() -> Int {
        state.withLock { state in
            defer { state.texts = [] }
            return state.texts.reduce(0) { $0 + $1.utf8.count }
        }
    }
}

/// A running meeting with sites, and readers of its channel.
struct Hall {
    let start = Date(timeIntervalSince1970: 1_800_000_000)
    let store: HeldStore
    let media = RecordingMedia()
    let counts = ChannelCounts()
    let room: Room
    let secretary = Hall.user("Thư ký", .secretary)

    static func user(_ name: String, _ role: UserRole) -> UserRecord {
        UserRecord(
            id: UUID(), username: name, name: name, role: role, organisation: "Văn phòng", passwordHash: "",
            createdAt: Date(timeIntervalSince1970: 0))
    }

    init() async throws {
        store = try HeldStore(now: start)
        try await store.records.insert(secretary)
        let meeting = Meeting(
            id: UUID(),
            MeetingCreation(
                title: "Giao ban", startsAt: start, durationMinutes: 60, layout: .grid, isLocked: false, capacity: 1_000,
                createdBy: secretary.id, createdAt: start))
        try await store.records.insert(meeting)
        room = Room(meeting, store: store.records, media: media, now: { [start] in start }, counts: counts)
        try await room.perform(.start, by: .user(id: secretary.id, role: .secretary))
    }

    static func login(of user: UserRecord) -> SessionRecord {
        SessionRecord(
            tokenHash: Array(user.id.text.utf8), user: user.id, createdAt: .distantPast, expiresAt: .distantFuture, address: "192.0.2.1")
    }

    func join(_ user: UserRecord, _ name: String? = nil, site: Site? = nil) async throws -> UUID {
        let session = UUIDv7.make(at: start)
        _ = try await room.join(
            Room.Join(
                session: session, name: name ?? user.name, site: site, offer: "", user: user, rule: .usual, login: Self.login(of: user)))
        await room.report(.connected(session))
        return session
    }

    /// So many sites, each of its own login.
    func fill(_ count: Int) async throws -> [UUID] {
        var sessions: [UUID] = []
        for number in 0..<count {
            let user = Self.user("Điểm cầu số \(number)", .operator)
            sessions.append(try await join(user, site: Site(code: "S\(number)", name: user.name)))
        }
        return sessions
    }

    func follow(_ user: UserRecord, after: Int? = nil) async -> (connection: FakeConnection, channel: UUID) {
        let (connection, channel) = (FakeConnection(), UUID())
        await room.attach(channel, connection, base: "https://hop.example", caller: caller(user), after: after)
        return (connection, channel)
    }

    func caller(_ user: UserRecord) -> Caller { Caller(user: user, session: Self.login(of: user), address: "192.0.2.1") }

    static func snapshot(
        _ session: UUID, level: Int = -127, speaks: Bool = false, loss: Double = 0, wanted: Bool = true, lines: Int? = nil
    ) -> SessionSnapshot {
        var snapshot = SessionSnapshot(session: session, kind: .participant)
        snapshot.isConnected = true
        snapshot.audioLevel = level
        snapshot.isSpeaking = speaks
        snapshot.lossUp = loss
        snapshot.wish = PictureWish(isWanted: wanted, lines: lines)
        return snapshot
    }
}

extension JSONValue {
    var type: String { if case .string(let type)? = self["type"] { type } else { "" } }
    var rows: [JSONValue] { if case .array(let rows)? = self["rows"] { rows } else { [] } }
    var columns: [JSONValue] { if case .array(let columns)? = self["columns"] { columns } else { [] } }
    var sequence: Int? { if case .int(let number)? = self["sequence"] { number } else { nil } }
}

/// Who is told what, and nothing else.
struct AudienceTests {
    private let site = Hall.user("Lai Châu", .operator)
    private let network = Hall.user("Trực mạng", .network)

    @Test func `levels and lines are one table a second for those who lead, and nobody else is told of them`() async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(12)
        let (chair, viewer, watcher) = (await hall.follow(hall.secretary), await hall.follow(site), await hall.follow(network))
        for one in [chair, viewer, watcher] { _ = one.connection.take() }
        await hall.room.observe(sessions.map { Hall.snapshot($0, level: -20, speaks: true, loss: 0.1) })
        // Some of those who began to speak are told of to everybody.
        _ = viewer.connection.take()
        _ = watcher.connection.take()
        let tables = chair.connection.take().filter { $0.type == "figures" }
        #expect(tables.count == 1 && tables[0].rows.count == 12)
        #expect(tables[0].columns.first == .string("id") && tables[0].columns.contains(.string("level")))
        #expect(tables[0].columns.contains(.string("lossUp")) && tables[0].columns.count == 13)
        await hall.room.observe(sessions.map { Hall.snapshot($0, level: -50, speaks: true, loss: 0.3) })
        let told = viewer.connection.take() + watcher.connection.take()
        #expect(told.allSatisfy { $0.type == "participant.changed" })
        for message in told {
            #expect(message["participant"]?["line"] == nil && message["participant"]?["tier"] == nil)
            #expect(message["participant"]?["audio"]?["level"] == nil)
        }
    }

    @Test func `the network staff may watch lines and no levels, who leads may stop watching, and a site may watch neither`() async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(3)
        let (chair, viewer, watcher) = (await hall.follow(hall.secretary), await hall.follow(site), await hall.follow(network))
        for one in [chair, viewer, watcher] { _ = one.connection.take() }
        let room = hall.room
        for (user, channel, watched) in [
            (site, viewer.channel, Watched.lines), (site, viewer.channel, .levels), (network, watcher.channel, .all),
        ] {
            let refusal = await #expect(throws: Problem.self) { try await room.watch(watched, channel: channel, by: hall.caller(user)) }
            #expect(refusal?.type == .notAllowed)
        }
        try await room.watch(.lines, channel: watcher.channel, by: hall.caller(network))
        let whole = watcher.connection.take()
        #expect(whole.map(\.type) == ["figures"] && whole[0].rows.count == 3, "it begins with how things are")
        try await room.watch([], channel: nil, by: hall.caller(hall.secretary))
        await room.observe(sessions.map { Hall.snapshot($0, loss: 0.2) })
        let tables = watcher.connection.take()
        #expect(tables.map(\.type) == ["figures"] && !tables[0].columns.contains(.string("level")))
        #expect(chair.connection.take().isEmpty && viewer.connection.take().isEmpty)
    }

    @Test func `a figure that did not change is in no table, and a second without changes has none`() async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(5)
        let chair = await hall.follow(hall.secretary)
        let snapshots = sessions.map { Hall.snapshot($0, loss: 0.2) }
        await hall.room.observe(snapshots)
        _ = chair.connection.take()
        await hall.room.observe(snapshots)
        #expect(chair.connection.take().isEmpty)
        await hall.room.observe(snapshots.dropLast() + [Hall.snapshot(sessions[4], loss: 0.5)])
        let tables = chair.connection.take()
        #expect(tables.count == 1 && tables[0].rows.count == 1)
    }

    @Test func `whether a camera is wanted is told to its own login and to those who lead`() async throws {
        let hall = try await Hall()
        let own = try await hall.join(site)
        let (chair, mine, other) = (await hall.follow(hall.secretary), await hall.follow(site), await hall.follow(network))
        let first = mine.connection.take().last?.sequence
        for one in [chair, other] { _ = one.connection.take() }
        await hall.room.report(.videoWanted(own, CameraWish(isWanted: false, lines: 180)))
        let told = mine.connection.take()
        #expect(told.count == 1 && told[0]["participant"]?["video"]?["wanted"] == .bool(false) && told[0].sequence == nil)
        #expect(told[0]["participant"]?["video"]?["lines"] == .int(180))
        #expect(chair.connection.take().map(\.type) == ["participant.changed"])
        #expect(other.connection.take().isEmpty)
        // Who was away meanwhile is told anew; it has no number to miss.
        let back = await hall.follow(site, after: first)
        let caught = back.connection.take()
        #expect(caught.last?["participant"]?["video"]?["wanted"] == .bool(false))
        // The measured state says the same: it is no news to anybody.
        await hall.room.observe([Hall.snapshot(own, wanted: false, lines: 180)])
        #expect(other.connection.take().isEmpty && mine.connection.take().isEmpty)
    }

    @Test func `who comes back is told what it missed without holes, and who watches how things are`() async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(3)
        let (chair, viewer) = (await hall.follow(hall.secretary), await hall.follow(site))
        let (last, lastOfViewer) = (chair.connection.take().last?.sequence, viewer.connection.take().last?.sequence)
        try await hall.room.perform(.mute(sessions[0], true), by: .user(id: hall.secretary.id, role: .secretary))
        await hall.room.report(.speaker(sessions[1]))
        for (user, number, leads) in [(hall.secretary, last, true), (site, lastOfViewer, false)] {
            let told = await hall.follow(user, after: number).connection.take()
            let numbers = told.compactMap(\.sequence)
            #expect(numbers == Array(((number ?? 0) + 1)...((number ?? 0) + numbers.count)) && numbers.count >= 2)
            #expect(told.contains { $0.type == "figures" } == leads)
        }
    }

    @Test func `who does not read is let go, and the others go on`() async throws {
        let hall = try await Hall()
        let (slow, good) = (await hall.follow(site), await hall.follow(network))
        _ = good.connection.take()
        slow.connection.stopReading()
        await hall.room.report(.announced("Chào"))
        #expect(slow.connection.closedWith == 1_013 && good.connection.take().map(\.type) == ["notice"])
        #expect(await hall.room.followerCount == 1)
        #expect(await hall.room.followers(of: site.id) == 0)
    }
}

/// Work counted, not timed: what must not grow with the meeting or with those who follow it.
struct ChannelGrowthTests {
    @Test(arguments: [1, 40, 400])
    func `a mute is as many texts for four hundred who follow as for one`(followers: Int) async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(3)
        _ = await hall.follow(hall.secretary)
        for number in 0..<followers { _ = await hall.follow(Hall.user("\(number)", .operator)) }
        let before = hall.counts.texts.load(ordering: .relaxed)
        try await hall.room.perform(.mute(sessions[0], true), by: .user(id: hall.secretary.id, role: .secretary))
        // The participant and the meeting's version, for those who lead and for everybody.
        #expect(hall.counts.texts.load(ordering: .relaxed) - before == 4)
    }

    @Test(arguments: [50, 700])
    func `a second of figures is one text for all who watch, whatever the number of sites`(sites: Int) async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(sites)
        for _ in 0..<20 { _ = await hall.follow(hall.secretary) }
        await hall.room.observe(sessions.map { Hall.snapshot($0) })
        let before = hall.counts.texts.load(ordering: .relaxed)
        await hall.room.observe(sessions.map { Hall.snapshot($0, loss: 0.3) })
        #expect(hall.counts.texts.load(ordering: .relaxed) - before == 1)
    }

    @Test func `a snapshot of seven hundred sites is below 100 KiB and made once for three hundred who ask while others join`() async throws
    {
        let hall = try await Hall()
        _ = try await hall.fill(660)
        let before = hall.counts.texts.load(ordering: .relaxed)
        var joined = 0
        for number in 0..<300 {
            if number % 8 == 0 {
                _ = try await hall.join(Hall.user("Đến sau \(number)", .operator))
                joined += 1
            }
            let follower = await hall.follow(Hall.user("\(number)", .operator))
            let told = follower.connection.take()
            #expect(told[0].type == "snapshot" && told[0].text.utf8.count <= 100 * 1_024, "\(told[0].text.utf8.count)")
            let numbers = told.compactMap(\.sequence)
            #expect(numbers == Array(numbers[0]..<(numbers[0] + numbers.count)))
        }
        // One snapshot, a further one each time that more than 64 changes have come since, and the changes themselves: a join is two.
        #expect(hall.counts.texts.load(ordering: .relaxed) - before <= 2 + 2 * joined)
        let chair = await hall.follow(hall.secretary).connection.take()
        #expect(chair[0].text.utf8.count <= 100 * 1_024 && chair[1].type == "figures")
    }

    @Test func `everybody is in the snapshot of a small meeting in full, and of a large one in short`() async throws {
        for count in [Snapshot.mostInFull, Snapshot.mostInFull + 1] {
            let hall = try await Hall()
            _ = try await hall.fill(count)
            let snapshot = await hall.follow(Hall.user("x", .operator)).connection.take()[0]
            guard case .array(let full)? = snapshot["participants"] else { throw Problem(.notFound) }
            if count == Snapshot.mostInFull {
                #expect(full.count == count && snapshot["roster"] == nil)
            } else {
                guard case .array(let roster)? = snapshot["roster"] else { throw Problem(.notFound) }
                #expect(roster.count == count && full.count < 10 && roster[0]["name"] == .string("Điểm cầu số 0"))
                #expect(roster[0]["site"] == .string("S0") && roster[0]["muted"] == nil)
            }
        }
    }

    @Test func `long names do not make a snapshot longer than it may be`() async throws {
        let hall = try await Hall()
        for number in 0..<700 { _ = try await hall.join(Hall.user(String(repeating: "ế", count: 76) + "\(number)", .operator)) }
        let snapshot = await hall.follow(Hall.user("x", .operator)).connection.take()[0]
        guard case .array(let roster)? = snapshot["roster"] else { throw Problem(.notFound) }
        #expect(snapshot.text.utf8.count <= 100 * 1_024 && roster.count < 700 && snapshot["meeting"]?["participantCount"] == .int(700))
    }

    @Test func `a site of a hundred and fifty, all of which speak in turns, is told less than 16 kbit a second`() async throws {
        let hall = try await Hall()
        let sessions = try await hall.fill(150)
        let viewer = await hall.follow(Hall.user("x", .operator))
        _ = viewer.connection.take()
        var generator = SeededGenerator(seed: 7)
        var bytes = 0
        let seconds = 120
        for _ in 0..<seconds {
            await hall.room.observe(
                sessions.map {
                    Hall.snapshot($0, level: Int.random(in: -60 ... -20, using: &generator), speaks: Bool.random(using: &generator))
                })
            for _ in 0..<2 { await hall.room.report(.speaker(sessions.randomElement(using: &generator))) }
            bytes += viewer.connection.takeBytes()
        }
        #expect(bytes > 0 && bytes * 8 / seconds <= 16_000, "\(bytes * 8 / seconds) bit/s")
    }
}
