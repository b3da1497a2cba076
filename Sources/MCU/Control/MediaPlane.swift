import Base
import Foundation

/// What control asks of media, and all that it may ask. `MediaServer` is the real one; a second process could stand behind the same calls.
///
/// Every call returns promptly: media work happens on media threads, and what happened comes back as `MediaEvent`s and snapshots.
package protocol MediaPlane: Sendable {
    /// Makes the session that answers `request.offer`; the peer is known to ICE when this returns.
    /// - Throws: `JoinRefusal`; nothing is left behind then.
    func join(_ request: JoinRequest) async throws(JoinRefusal) -> JoinAnswer
    /// A second offer of a session that exists (RFC 9725 §4.4, JSEP renegotiation). The ICE and DTLS associations are kept unless the offer restarts ICE.
    /// - Parameters:
    ///   - maySend: whether the session's owner may be heard and seen; an offer that would send is refused otherwise, and nothing changes.
    ///   - ifMatch: entity tags of which the session must have one, nil for any (RFC 9110 §13.1.1).
    func renegotiate(session: UUID, offer: String, maySend: Bool, ifMatch: [String]?) async throws(JoinRefusal) -> JoinAnswer
    /// Candidates or an ICE restart as `application/trickle-ice-sdpfrag` (RFC 8840, RFC 9725 §4.3).
    /// - Parameter ifMatch: as above. Credentials of before a restart are stale whatever it says.
    /// - Returns: the fragment to answer with after a restart, nil where there is nothing to say.
    func trickle(session: UUID, fragment: String, ifMatch: [String]?) async throws(JoinRefusal) -> String?
    /// The session ends: BYE, close_notify, memory released. Unknown sessions are ignored.
    func leave(session: UUID)
    /// Everything of a meeting ends.
    func end(meeting: UUID)
    /// Whether a participant's sound reaches the mix.
    func setMuted(session: UUID, _ muted: Bool)
    /// Whether a participant's picture is shown; false shows the name card.
    func setCamera(session: UUID, _ shown: Bool)
    /// How a view of a meeting is arranged, now and for who comes later. A view costs nothing as long as nobody takes it.
    func setView(_ view: ViewID, of meeting: UUID, to settings: ViewSettings)
    /// Which view a session is sent, from its next key frame on; the programme where nothing was said. Unknown sessions are ignored.
    func watch(session: UUID, _ view: ViewID)
    /// Which mix a session hears; the floor where nothing was said. A mix costs nothing as long as nobody hears it. Unknown sessions are ignored.
    func listen(session: UUID, to mix: MixID)
    /// Into which mix a session speaks; the floor where nothing was said.
    func setMix(session: UUID, speaksInto mix: MixID)
    /// Who has the floor is heard whatever the others say; nil gives it back.
    func setFloor(meeting: UUID, _ session: UUID?)
    /// The state of every session of a meeting, at most a second old.
    func snapshot(meeting: UUID) -> [SessionSnapshot]
    /// Events from now on, for one reader. A reader that does not keep up loses the oldest, counted in the metrics.
    func events() -> AsyncStream<MediaEvent>
    /// Prometheus samples of the media threads.
    func metrics() -> [MetricSample]
    /// Ends every session and stops the threads.
    func stop() async
}

/// How the composed picture is arranged.
package enum LayoutChoice: String, Sendable, CaseIterable, Codable { case one, grid, speaker }

/// One view of a meeting, as control arranges it.
package struct ViewSettings: Sendable, Equatable {
    package var layout = LayoutChoice.grid
    /// Sessions that have the first places, in this order, whoever speaks.
    package var pinned: [UUID] = []
    /// Of the others: those who are named come in this order, and then the rest as they joined.
    package var order: [UUID] = []
    /// What stands under a tile in place of the session's name.
    package var captions: [UUID: String] = [:]
    package init(layout: LayoutChoice = .grid, pinned: [UUID] = [], order: [UUID] = [], captions: [UUID: String] = [:]) {
        self.layout = layout
        self.pinned = pinned
        self.order = order
        self.captions = captions
    }
}

/// Words on the composed picture: they come from the one catalogue, since media knows no language.
package struct PictureWords: Sendable, Equatable {
    /// Stands alone while nobody is shown.
    package var waiting: String
    /// Before the name of who shares a screen.
    package var screen: String
    /// On the name card of who should be seen, while nothing comes.
    package var lost: String
    package init(waiting: String = "", screen: String = "", lost: String = "") {
        self.waiting = waiting
        self.screen = screen
        self.lost = lost
    }
}

/// What an offer's direction made of it: `sendrecv`, `sendonly`, `recvonly`.
package enum SessionKind: String, Sendable, Codable { case participant, publisher, viewer }

package struct JoinRequest: Sendable {
    package var session: UUID
    package var meeting: UUID
    /// Shown on the tile; any Unicode normal form.
    package var name: String
    package var offer: String
    /// Most sessions that the meeting takes; a further one is refused as full.
    package var capacity: Int
    /// Whose session it is: those of one person share one place in the mix. nil where each session stands for people of its own, as a gateway's do.
    package var person: UUID?
    package init(session: UUID, meeting: UUID, name: String, offer: String, capacity: Int = 1_000, person: UUID? = nil) {
        self.session = session
        self.meeting = meeting
        self.name = name
        self.offer = offer
        self.capacity = capacity
        self.person = person
    }
}

package struct JoinAnswer: Sendable {
    package var kind: SessionKind
    package var answer: String
    /// Changes with each ICE restart (RFC 9725 §4.3.1); without quotation marks.
    package var etag: String
    package init(kind: SessionKind, answer: String, etag: String) { (self.kind, self.answer, self.etag) = (kind, answer, etag) }
}

/// Why an offer was not answered.
package enum JoinRefusal: Error, Equatable, Sendable {
    /// Not SDP, or SDP that breaks a rule: which line and what is wrong with it. 400.
    case malformed(line: Int, reason: String)
    /// The m-line (counted from 0) has no codec, transport or direction that the server can take. 422.
    case unsupported(mediaLine: Int, reason: String)
    /// No fingerprint, no ICE credentials: encryption is never optional. 400.
    case insecure(reason: String)
    case full(capacity: Int)
    case unknownSession
    /// The offer would send, and its owner may only receive. 403.
    case mayNotSend
    /// The session has another entity tag by now. 412.
    case stale(etag: String)
    /// A media queue is full; come back. 503.
    case busy(retryAfterSeconds: Int)
}

/// What a camera is asked to send.
package struct PictureWish: Sendable, Equatable {
    /// Some view shows it, or it was not yet asked to stop.
    package var isWanted: Bool
    /// Lines of the picture that its largest tile needs; nil before it was shown: as it is.
    package var lines: Int?
    package init(isWanted: Bool = true, lines: Int? = nil) {
        self.isWanted = isWanted
        self.lines = lines
    }
}

package enum LeaveReason: String, Sendable, Codable { case left, consentLost, meetingEnded, neverConnected, closedByPeer, serverStopping }

package enum MediaEvent: Sendable, Equatable {
    case connected(meeting: UUID, session: UUID)
    case left(meeting: UUID, session: UUID, reason: LeaveReason)
    /// Who is heard loudest; nil after silence.
    case speakerChanged(meeting: UUID, session: UUID?)
    /// What the session's camera is wanted for: one that nobody sees is asked to stop, and to go on before it is shown again; one in a small tile to send few lines.
    case videoWanted(meeting: UUID, session: UUID, PictureWish)
    /// Whether the session's name card is shown in place of its picture, since it sends more than it may and goes on.
    case videoExcess(meeting: UUID, session: UUID, Bool)
}

/// One session as the media threads last saw it.
package struct SessionSnapshot: Sendable, Equatable {
    package var session: UUID
    package var kind: SessionKind
    package var isConnected = false
    /// Nothing came from it for two seconds, or longer than it is used to pause; what else is told of it is from before.
    package var isInterrupted = false
    package var isSendingAudio = false
    package var isSendingVideo = false
    package var wish = PictureWish()
    /// Pictures of a shared screen come in.
    package var sharesScreen = false
    /// Of the picture that the sender sends, in pixels; 0 before the first.
    package var width = 0
    package var height = 0
    /// dBov, −127 … 0 (RFC 6464).
    package var audioLevel = -127
    package var isSpeaking = false
    /// "high", "medium", "low" or "slides" for those who receive a picture; "sound" where the line carries none.
    package var tier: String?
    /// Fraction lost in the last report interval, 0 … 1, of what the site sends.
    package var lossUp = 0.0
    /// The same of what it receives, as it reports.
    package var lossDown = 0.0
    package var jitterMilliseconds = 0.0
    package var jitterDownMilliseconds = 0.0
    /// What the line to the session carries; nil where that is not known, or more than anyone needs.
    package var lineBitsPerSecond: Int?
    package var roundTripMilliseconds: Double?
    package var packetsReceived: UInt64 = 0
    package var packetsSent: UInt64 = 0
    /// Pictures of the composed stream handed to the network for this session.
    package var framesSent: UInt64 = 0
    package init(session: UUID, kind: SessionKind) { (self.session, self.kind) = (session, kind) }
}
