import Foundation

/// What the offer's direction made of somebody.
package enum ParticipantKind: String, Sendable, CaseIterable, Codable { case participant, publisher, viewer }

/// Somebody with a media session in a meeting.
package struct Participant: Sendable, Equatable, Identifiable {
    /// The media session's.
    package var id: UUID
    package var name: String
    package var site: Site?
    package var role: MeetingRole
    package var kind: ParticipantKind
    package var joinedAt: Date
    /// Who made the media session.
    package var user: UUID
    /// That account as it names itself, beside the name that was chosen here.
    package var account: Account
    /// Its login is one person or site: what a chair decides holds for all sessions of it.
    package var isPersonal = true
    package var isMuted = false
    /// It may not unmute itself.
    package var isMutedByChair = false
    package var isCameraOff = false
    package var isCameraOffByChair = false
    package var media = ParticipantMedia()
    /// The media session that holds the seat, or held it last: its own identifier, until somebody comes back to it.
    package var session: UUID
    /// Media has that session no more; the seat is kept for a while.
    package var isUnseated = false
    /// Since when nothing comes from it; nil while something does.
    package var awaySince: Date?
    /// When it was away before, oldest first.
    package private(set) var absences: [Absence] = []
    /// As it called itself, before a number was put behind a name that was taken.
    package var askedName: String

    package init(
        id: UUID, name: String, site: Site?, role: MeetingRole, kind: ParticipantKind, joinedAt: Date, user: UUID,
        account: Account = Account()
    ) {
        self.id = id
        self.name = name
        self.site = site
        self.role = role
        self.kind = kind
        self.joinedAt = joinedAt
        self.user = user
        self.account = account
        session = id
        askedName = name
    }

    /// It is heard of again.
    mutating func comeBack(at now: Date) {
        guard let since = awaySince else { return }
        awaySince = nil
        guard now.timeIntervalSince(since) >= Absence.least else { return }
        if absences.count == Absence.mostRemembered { absences.removeFirst() }
        absences.append(Absence(from: since, to: max(since, now.toTheMillisecond)))
    }

    /// Whether nothing but levels, the tier and figures of the line tells them apart: what those who lead alone are told.
    package func differsInFiguresAlone(from old: Participant) -> Bool {
        var (mine, theirs) = (self, old)
        mine.media.hideFigures()
        theirs.media.hideFigures()
        return mine == theirs
    }

    /// Whether nothing but those and what comes in from it tells them apart.
    package func differsInActivityAlone(from old: Participant) -> Bool {
        var (mine, theirs) = (self, old)
        mine.media.hideActivity()
        theirs.media.hideActivity()
        return mine == theirs
    }
}

/// How others see whether somebody is there.
package enum ParticipantState: String, Sendable, CaseIterable { case connecting, connected, interrupted }

extension Participant {
    package var state: ParticipantState {
        if awaySince != nil { return .interrupted }
        return media.isConnected ? .connected : .connecting
    }
}

/// A time in which nothing came from somebody who has a seat.
package struct Absence: Sendable, Equatable {
    package var from: Date
    package var to: Date
    /// What is shorter was a hiccup of the line, seconds.
    package static let least: TimeInterval = 5
    static let mostRemembered = 32
    /// How long a seat is kept for who does not come back, from the last sign of it on; seconds.
    package static let keptFor: TimeInterval = 120

    package init(from: Date, to: Date) { (self.from, self.to) = (from, to) }
}

/// An account as others may see it.
package struct Account: Sendable, Equatable {
    package var name: String
    package var organisation: String
    package init(name: String = "", organisation: String = "") {
        self.name = name
        self.organisation = organisation
    }
}

/// What a camera is wanted for.
package struct CameraWish: Sendable, Equatable {
    /// Whether any view shows it; one that nobody sees is asked to stop sending.
    package var isWanted: Bool
    /// Lines of the picture that its largest tile needs; nil before it was shown: as it is.
    package var lines: Int?
    package init(isWanted: Bool = true, lines: Int? = nil) {
        self.isWanted = isWanted
        self.lines = lines
    }
}

/// What media says of a participant, rounded so that a change is one that a reader would notice.
package struct ParticipantMedia: Sendable, Equatable {
    package var isConnected = false
    package var isSendingAudio = false
    package var isSendingVideo = false
    package var wish = CameraWish()
    package var sharesScreen = false
    package var width = 0
    package var height = 0
    /// dBov, −127 … 0; told to others only while `isSpeaking`.
    package var level = -127
    package var isSpeaking = false
    package var tier: String?
    package var line = LineState()
    package init() {}

    fileprivate mutating func hideActivity() {
        hideFigures()
        isSpeaking = false
        isSendingAudio = false
        isSendingVideo = false
        width = 0
        height = 0
    }

    fileprivate mutating func hideFigures() { (level, tier, line) = (-127, nil, LineState()) }

    /// Whether others should hear of the step from `old`: levels count while speaking, line figures in steps of a tenth of their size.
    package func differs(from old: ParticipantMedia) -> Bool {
        var (mine, theirs) = (self, old)
        (mine.line, theirs.line) = (LineState(), LineState())
        if !isSpeaking { (mine.level, theirs.level) = (0, 0) }
        return mine != theirs || line.differs(from: old.line)
    }
}

/// The line of one participant as last measured.
package struct LineState: Sendable, Equatable {
    /// Fractions, 0 … 1.
    package var lossUp = 0.0
    package var lossDown = 0.0
    /// Of what the site sends.
    package var jitterMilliseconds = 0.0
    /// Of what it receives.
    package var jitterDownMilliseconds = 0.0
    package var roundTripMilliseconds: Double?
    /// What the line carries to the site; nil where that is not known, or more than anyone needs.
    package var bitsPerSecond: Int?
    /// "good", "fair", "poor" or "unknown".
    package var quality = "unknown"
    /// Nothing comes over it: what was measured before is not how it is.
    package var isSilent = false
    package init() {}

    func differs(from old: LineState) -> Bool {
        quality != old.quality || isSilent != old.isSilent || (roundTripMilliseconds == nil) != (old.roundTripMilliseconds == nil)
            || Self.differ(lossUp, old.lossUp, least: 0.01) || Self.differ(lossDown, old.lossDown, least: 0.01)
            || Self.differ(jitterMilliseconds, old.jitterMilliseconds, least: 5)
            || Self.differ(jitterDownMilliseconds, old.jitterDownMilliseconds, least: 5)
            || (bitsPerSecond == nil) != (old.bitsPerSecond == nil)
            || Self.differ(Double(bitsPerSecond ?? 0), Double(old.bitsPerSecond ?? 0), least: 10_000)
            || Self.differ(roundTripMilliseconds ?? 0, old.roundTripMilliseconds ?? 0, least: 20)
    }

    private static func differ(_ one: Double, _ other: Double, least: Double) -> Bool {
        let step = abs(one - other)
        return step >= least && step >= max(abs(one), abs(other)) / 4
    }
}
