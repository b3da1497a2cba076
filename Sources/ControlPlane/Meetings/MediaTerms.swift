import Lines
import MCU
import Meetings

// What media says, in the domain's terms, and the other way round.

extension ViewSettings {
    /// The programme, as the chair arranges it.
    init(_ meeting: Meeting) { self.init(layout: LayoutChoice(rawValue: meeting.layout.rawValue) ?? .grid) }
}

extension ParticipantKind {
    init(_ kind: SessionKind) {
        switch kind {
        case .participant: self = .participant
        case .publisher: self = .publisher
        case .viewer: self = .viewer
        }
    }
}

extension CameraWish {
    init(_ wish: PictureWish) { self.init(isWanted: wish.isWanted, lines: wish.lines) }
}

extension ParticipantMedia {
    init(_ snapshot: SessionSnapshot) {
        self.init()
        (isConnected, isSendingAudio, isSendingVideo) = (snapshot.isConnected, snapshot.isSendingAudio, snapshot.isSendingVideo)
        wish = CameraWish(snapshot.wish)
        sharesScreen = snapshot.sharesScreen
        (width, height, level) = (snapshot.width, snapshot.height, snapshot.audioLevel)
        (isSpeaking, tier) = (snapshot.isSpeaking, snapshot.tier)
        // The figures are from before the silence.
        guard !snapshot.isInterrupted else {
            line.isSilent = true
            return
        }
        line.lossUp = snapshot.lossUp
        line.lossDown = snapshot.lossDown
        line.jitterMilliseconds = snapshot.jitterMilliseconds
        line.jitterDownMilliseconds = snapshot.jitterDownMilliseconds
        line.roundTripMilliseconds = snapshot.roundTripMilliseconds
        line.bitsPerSecond = snapshot.lineBitsPerSecond
        line.quality =
            LineQuality(
                loss: max(snapshot.lossUp, snapshot.lossDown),
                jitterMilliseconds: max(snapshot.jitterMilliseconds, snapshot.jitterDownMilliseconds),
                roundTripMilliseconds: snapshot.roundTripMilliseconds
            ).verdict.rawValue
    }
}
