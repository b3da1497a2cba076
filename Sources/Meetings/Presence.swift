import Foundation

/// Who is in a meeting now, with level, line and tier, and who speaks. Nothing of it is stored: after a restart of the server nobody is in.
package struct Presence: Sendable {
    package private(set) var speaker: UUID?
    private var present: [UUID: Participant] = [:]
    /// In the order of joining.
    private var order: [UUID] = []
    private var sessionsByUser: [UUID: [UUID]] = [:]
    private var names = NameIndex()
    /// By media session, where somebody came back to a seat with another one.
    private var seatsBySession: [UUID: UUID] = [:]

    package init() {}

    /// In the order of joining.
    package var participants: [Participant] { order.compactMap { present[$0] } }
    package var count: Int { present.count }
    package func participant(_ id: UUID) -> Participant? { present[id] }
    /// The media sessions of a login, in the order of joining.
    package func sessions(of user: UUID) -> [UUID] { sessionsByUser[user] ?? [] }

    /// Whose seat a media session holds, or held last; nil for one in whose place another came.
    package func seat(of session: UUID) -> UUID? {
        let id = seatsBySession[session] ?? session
        return present[id]?.session == session ? id : nil
    }

    /// The seat of somebody who comes back.
    /// - Parameters:
    ///   - held: the media session with which it was held; nil where the client does not know.
    ///   - name: without `held`, a seat of the login counts from which nothing comes, under the name and site that are asked for again.
    package func seatToTake(by user: UUID, held: UUID?, name: String, site: Site?) -> Participant? {
        if let held { return seat(of: held).flatMap { present[$0] }.flatMap { $0.user == user ? $0 : nil } }
        return sessions(of: user).lazy.compactMap { present[$0] }.first { $0.awaySince != nil && $0.askedName == name && $0.site == site }
    }

    /// Whose seats were kept long enough.
    package func overdue(at now: Date) -> [UUID] {
        order.filter { id in
            present[id].map { one in
                one.isUnseated && one.awaySince.map { now.timeIntervalSince($0) >= Absence.keptFor } ?? true
            } ?? false
        }
    }

    /// The media sessions that a chair's decision about a login reaches, in the order of joining.
    func personalSessions(of user: UUID) -> [UUID] { sessions(of: user).filter { present[$0]?.isPerson == true } }

    /// The oldest that was not connected within `patience`.
    func neverConnected(at now: Date, patience: TimeInterval) -> UUID? {
        order.first { id in
            present[id].map { $0.state == .connecting && now.timeIntervalSince($0.joinedAt) >= patience } ?? false
        }
    }

    mutating func takeName(_ name: String, for user: UUID) -> String {
        let unique = names.unique(name, for: user)
        names.add(unique, of: user)
        return unique
    }

    mutating func giveUpName(_ name: String, of user: UUID) { names.remove(name, of: user) }

    /// - Returns: what screens are told; nothing where the fact changes nothing.
    mutating func take(_ fact: Fact) -> [Notice] {
        switch fact {
        case .connected(let id): return update(id) { $0.media.isConnected = true }
        case .away(let id, let since, let isUnseated):
            return update(id) {
                $0.awaySince = $0.awaySince ?? since.toTheMillisecond
                guard isUnseated else { return }
                $0.isUnseated = true
                $0.media = ParticipantMedia()
            }
        case .back(let id, let now): return update(id) { $0.comeBack(at: now) }
        case .left(let id, let reason): return drop(id, reason: reason)
        case .measured(let id, let media):
            guard let old = present[id]?.media, media.differs(from: old) else { return [] }
            return update(id) { $0.media = media }
        case .speaker(let id): return setSpeaker(id)
        case .videoWanted(let id, let wish): return update(id) { $0.media.wish = wish }
        case .became(let id, let kind, let role): return update(id) { ($0.kind, $0.role) = (kind, role) }
        case .announced(let text): return [.announced(text)]
        case .joined(let participant): return add(participant)
        case .reseated(let id, let session, let kind, let role): return reseat(id, session, kind, role)
        case .muted(let id, let muted, let byChair):
            return update(id) {
                $0.isMuted = muted
                if byChair { $0.isMutedByChair = muted }
            }
        case .cameraOff(let id, let off, let byChair):
            return update(id) {
                $0.isCameraOff = off
                if byChair { $0.isCameraOffByChair = off }
            }
        }
    }

    /// What an event means for those who are in.
    mutating func follow(_ event: Event) -> [Notice] {
        switch event {
        case .created, .started, .changed, .personReadmitted: []
        case .ended: order.flatMap { drop($0, reason: "meetingEnded") }
        case .personMuted(let user, let muted): personalSessions(of: user).flatMap { take(.muted($0, muted, byChair: true)) }
        case .personHidden(let user, let hidden): personalSessions(of: user).flatMap { take(.cameraOff($0, hidden, byChair: true)) }
        case .personRemoved(let user, _): personalSessions(of: user).flatMap { drop($0, reason: "removed") }
        }
    }

    private mutating func add(_ participant: Participant) -> [Notice] {
        if present.updateValue(participant, forKey: participant.id) == nil {
            names.add(participant.name, of: participant.user)
            order.append(participant.id)
            sessionsByUser[participant.user, default: []].append(participant.id)
        }
        return [.participantJoined(participant)]
    }

    private mutating func reseat(_ id: UUID, _ session: UUID, _ kind: ParticipantKind, _ role: MeetingRole) -> [Notice] {
        guard let old = present[id] else { return [] }
        seatsBySession[old.session] = nil
        seatsBySession[session] = id
        return update(id) {
            $0.session = session
            $0.isUnseated = false
            $0.media = ParticipantMedia()
            $0.kind = kind
            $0.role = role
        }
    }

    private mutating func drop(_ id: UUID, reason: String) -> [Notice] {
        guard let gone = present.removeValue(forKey: id) else { return [] }
        names.remove(gone.name, of: gone.user)
        seatsBySession[gone.session] = nil
        order.removeAll { $0 == id }
        sessionsByUser[gone.user]?.removeAll { $0 == id }
        if sessionsByUser[gone.user]?.isEmpty == true { sessionsByUser[gone.user] = nil }
        let silence = speaker == id ? setSpeaker(nil) : []
        return silence + [.participantLeft(id, reason: reason)]
    }

    private mutating func setSpeaker(_ id: UUID?) -> [Notice] {
        let known = id.flatMap { present[$0] == nil ? nil : $0 }
        guard known != speaker else { return [] }
        speaker = known
        return [.speakerChanged(known)]
    }

    private mutating func update(_ id: UUID, _ change: (inout Participant) -> Void) -> [Notice] {
        guard let old = present[id] else { return [] }
        var new = old
        change(&new)
        guard new != old else { return [] }
        present[id] = new
        if new.differsInFiguresAlone(from: old) { return [.participantMeasured(new)] }
        var unwanted = new
        unwanted.media.wish = old.media.wish
        return [unwanted == old ? .participantWanted(new) : .participantChanged(new)]
    }
}

extension Participant {
    /// What a chair decides about it holds for the login. A gateway's sessions are people of their own, and those who lead are not restrained by login.
    var isPerson: Bool { isPersonal && role != .chair }
}
