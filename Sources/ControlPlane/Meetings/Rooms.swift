import Foundation
import MCU
import Meetings
import Records
import Store

/// The meetings that somebody looks at or is in. A room is made when it is first asked for, and let go when nobody is left in it.
actor Rooms {
    private let store: Records
    private let media: any MediaPlane
    private let now: @Sendable () -> Date
    private var rooms: [UUID: Room] = [:]
    /// What was told over all channels.
    nonisolated let counts = ChannelCounts()
    /// Absences that ended and are to be written down.
    private var absences: [SeatAbsence] = []

    init(store: Records, media: any MediaPlane, now: @escaping @Sendable () -> Date) {
        (self.store, self.media, self.now) = (store, media, now)
    }

    /// - Throws: `meeting-not-found`.
    func room(_ id: UUID) async throws(Problem) -> Room {
        if let room = rooms[id] { return room }
        let stored: Meeting?
        do { stored = try await store.meeting(id) } catch { throw Problem(error) }
        guard let stored else { throw Problem(.meetingNotFound) }
        // Another call may have made it while the store read.
        if let room = rooms[id] { return room }
        let room = Room(stored, store: store, media: media, now: now, counts: counts)
        rooms[id] = room
        return room
    }

    func forget(_ id: UUID) { rooms[id] = nil }

    /// Participants of the meetings that have a room; others have none.
    func participantCounts() async -> [UUID: Int] {
        var counts: [UUID: Int] = [:]
        for (id, room) in rooms { counts[id] = await room.participantCount }
        return counts
    }

    func handle(_ event: MediaEvent) async {
        switch event {
        case .connected(let meeting, let session): await rooms[meeting]?.mediaConnected(session)
        case .left(let meeting, let session, let reason): await rooms[meeting]?.mediaLeft(session, reason)
        case .videoWanted(let meeting, let session, let wish): await rooms[meeting]?.mediaWants(session, CameraWish(wish))
        case .videoExcess(let meeting, let session, let isTooMuch): await rooms[meeting]?.noteExcess(of: session, isTooMuch)
        case .speakerChanged(let meeting, let session): await rooms[meeting]?.mediaHears(session)
        }
    }

    /// Absences that ended since the last call.
    func takeAbsences() -> [SeatAbsence] {
        defer { absences = [] }
        return absences
    }

    /// Once a second.
    func tick() async {
        for (id, room) in rooms {
            if await room.meeting.phase == .running { await room.observe(media.snapshot(meeting: id)) }
            await room.giveUpSeats()
            absences += await room.takeAbsences()
            // Whoever asks for it in the same moment holds the room itself; a running one stays, so that no change number is given twice.
            if await room.isIdle, await room.meeting.phase != .running { rooms[id] = nil }
        }
    }

    /// Ends what hangs on logins that ended.
    func end(_ hasEnded: @escaping @Sendable (SessionRecord) -> Bool) async {
        for room in rooms.values { await room.end(hasEnded) }
    }

    /// Logins on which a channel or a media session hangs, each once.
    func hangingLogins() async -> [[UInt8]: SessionRecord] {
        var logins: [[UInt8]: SessionRecord] = [:]
        for room in rooms.values { for login in await room.hangingLogins { logins[login.tokenHash] = login } }
        return logins
    }

    /// Another process changed the meeting.
    func lookAgain(at id: UUID) async { await rooms[id]?.lookAgain(isTold: true) }

    /// Another process may have changed any meeting.
    func lookAgain() async { for room in rooms.values { await room.lookAgain(isTold: true) } }

    /// Meetings of which a write was not answered are looked up.
    func settleDoubts() async { for room in rooms.values { await room.lookAgain(isTold: false) } }

    func announce(_ text: String) async { for room in rooms.values { await room.report(.announced(text)) } }

    func closeAll() async { for room in rooms.values { await room.closeAll(code: 1001, reason: "going away") } }

    var followerCount: Int {
        get async {
            var count = 0
            for room in rooms.values { count += await room.followerCount }
            return count
        }
    }

    func followers(of user: UUID) async -> Int {
        var count = 0
        for room in rooms.values { count += await room.followers(of: user) }
        return count
    }
}
