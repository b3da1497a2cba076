import Base
import Foundation
import ICE
import Net
import Peer
import RTP

/// One session at its worker: the peer, and what the worker knows besides.
final class Seat {
    let session: UUID
    let participant: Participant
    let bridge: Bridge
    let peer: Peer
    /// Its index in the worker's list.
    var place = 0
    /// Addresses that proved to be the peer's.
    var addresses: [TransportAddress] = []
    /// Where media goes, and how it is addressed: without an own address where the kernel takes the proven one by itself.
    private var way: (proven: TransportAddress, leaving: TransportAddress)?
    /// ICE user fragments that name the session: the one in use, and that of a restart which waits.
    var fragments: [UsernameFragment]
    /// Why control ended it.
    var leaving: LeaveReason?
    var isFirstSound = true
    /// It was taken out of the worker.
    var isGone = false
    private var pictures: PictureGate
    /// What the peer said of the line when its tier was last chosen.
    private(set) var lastAdvice: TierID?
    var wantedStream: PictureStream { pictures.wanted }
    private var tierOfSound = SoundTierSelector()

    init(ticket: SessionTicket, peer: Peer) {
        session = ticket.session
        participant = ticket.participant
        bridge = ticket.bridge
        self.peer = peer
        key = ObjectIdentifier(ticket.participant)
        sound = SoundGate(ticket.participant.soundForm)
        fragments = UsernameFragment(ticket.localFragment).map { [$0] } ?? []
        lastAdvice = peer.recommendedTier
        pictures = PictureGate(
            wanted: PictureStream(ticket.participant.view, max(lastAdvice ?? ticket.participant.bestTier, ticket.participant.bestTier)))
        participant.streams = StreamSet(pictures.wanted)
    }

    // What the participant says, kept here for the worker: to send a packet touches as little memory as may be.
    let key: ObjectIdentifier
    private(set) var hears = false
    private(set) var sees = false
    private var sound: SoundGate
    private(set) var mix = MixID.floor
    /// Of the last sound that was sent: each goes once.
    var soundNumber = 0

    /// After a connection and after each negotiation.
    func followParticipant() {
        hears = participant.isConnected && participant.receivesAudio
        sees = participant.isConnected && participant.receivesVideo
        sound.wanted = participant.soundForm
        mix = participant.mix
    }

    /// Where a packet of media to `address` goes. Asked for each of them, so a comparison and no more; what it rests on is looked up when the address is new.
    func leaving(to address: TransportAddress, by sender: DatagramSender) -> TransportAddress {
        if let way, way.proven == address { return way.leaving }
        let leaving = sender.leaving(to: address)
        way = (address, leaving)
        return leaving
    }

    /// Routes change, though seldom: the next packet looks its way up again.
    func forgetWay() { way = nil }

    func answers(to fragment: UsernameFragment) -> Bool { fragments.contains(fragment) }

    /// Whether a STUN request names this session, or is no request at all.
    func isNamed(in datagram: Span<UInt8>) -> Bool {
        guard let fragment = STUNMessage.localUfrag(of: datagram.bytes) else { return true }
        return answers(to: fragment)
    }

    /// Whether a picture is this session's: a change of stream happens at a key frame of the wanted one.
    /// - Parameter keys: the streams that have a key frame in the same beat.
    func takes(_ frame: PacketisedFrame, of offered: PictureStream, keys: StreamSet) -> Bool {
        // What builds on a picture that did not leave is of no use: the next one begins with a key frame.
        guard !peer.holdsPictures else {
            pictures.cut()
            return false
        }
        switch pictures.admit(offered, isKey: frame.isKeyFrame, keys: keys, captured: frame.captured) {
        case .passes: return true
        case .stays: return false
        case .asks:
            bridge.wantsKeyFrame(offered)
            return false
        case .begins:
            participant.streams = StreamSet(offered)
            participant.shownTier = offered.tier
            bridge.streamsChanged()
            return true
        }
    }

    /// A few times a second: whether the line lives, and what tells a picture that stands still from one whose sender is gone.
    func followSigns() {
        participant.aliveUntil = peer.aliveUntil
        guard participant.sendsVideo || participant.sharesScreen else { return }
        participant.brokenVideos = peer.brokenVideos
    }

    /// What of a tick's sound goes to this receiver; nil for nothing.
    func takes(_ frame: AudioFrame) -> AudioFrame.Packet? {
        let before = sound.present
        let packet = sound.take(frame, for: key)
        if packet != nil, sound.present != before || participant.sentSound == nil { participant.sentSound = sound.present }
        return packet
    }

    /// Once a second: in which form the sound should be. What the line loses is known from reports; before the first ones it should be corrected.
    func followLoss() {
        let network = peer.statistics
        // A round trip is known once the other side has answered a report of ours.
        tierOfSound.look(loss: network.roundTripMilliseconds == nil ? nil : network.lossDown, lineBitsPerSecond: lineOfSound)
        participant.soundTier = tierOfSound.tier
        sound.takesRedundancy = hasRoomForRedundancy
        sound.wanted = participant.soundForm
    }

    /// A line as thin sound sees it.
    private static let thinSound = 130_000

    /// Sound said three times beside a small picture, which gives way to it: to be heard comes first.
    private var hasRoomForRedundancy: Bool {
        guard peer.takesRedundantAudio, let line = peer.lineBitsPerSecond else { return peer.takesRedundantAudio }
        return line >= TierTable.usual[peer.recommendedTier ?? .slides].neededBitsPerSecond + Int(TierChoice.wideSound)
            + Int(TierChoice.redundancy)
    }

    /// The line as sound sees it, bit/s: a picture that just fits has thin sound beside it, since its need is reckoned so. nil: no limit.
    private var lineOfSound: Int? {
        guard let line = peer.lineBitsPerSecond else { return nil }
        guard let tier = peer.recommendedTier, tier < .slides else { return min(line, Self.thinSound) }
        return tier <= .low && line >= TierTable.usual[tier].neededBitsPerSecond + Int(TierChoice.wideSound) ? nil : Self.thinSound
    }

    /// Wants its view in the tier that the line can carry, from its next key frame on. The present one goes on until then.
    func followLine() {
        lastAdvice = peer.recommendedTier
        guard let advice = lastAdvice else { return stopPictures() }
        if !participant.hasPicture {
            participant.hasPicture = true
            participant.streams = StreamSet(pictures.wanted)
            bridge.streamsChanged()
        }
        let advised = max(advice, participant.bestTier)
        let wanted = PictureStream(participant.view, advised)
        guard wanted != pictures.wanted else { return }
        pictures.wanted = wanted
        participant.streams = StreamSet(wanted, and: pictures.stream)
        bridge.streamsChanged()
        if wanted != pictures.stream { bridge.wantsKeyFrame(wanted) }
    }

    /// The line carries sound alone: nothing is encoded for it.
    private func stopPictures() {
        guard participant.hasPicture else { return }
        participant.hasPicture = false
        pictures.cut()
        participant.streams = .none
        bridge.streamsChanged()
    }
}

/// Takes what a peer tells while the worker hands it something.
struct SeatSink: PeerSink {
    let seat: Seat
    let sender: DatagramSender
    /// Where the last datagram went: a STUN answer goes only to those who proved to be the peer.
    private(set) var answered: TransportAddress?
    private(set) var isConnected = false
    private(set) var closed: PeerCloseReason?

    init(seat: Seat, sender: DatagramSender) { (self.seat, self.sender) = (seat, sender) }

    mutating func send(_ datagram: Span<UInt8>, to address: TransportAddress) {
        answered = address
        sender.append(to: address) { room in
            guard datagram.count <= room.count else { return 0 }
            for index in datagram.indices { room[index] = datagram[index] }
            return datagram.count
        }
    }

    mutating func send(to address: TransportAddress, _ write: (inout MutableSpan<UInt8>) -> Int) {
        answered = address
        sender.append(to: seat.leaving(to: address, by: sender), write)
    }

    mutating func connected() { isConnected = true }

    mutating func received(_ packet: ReceivedAudio, payload: Span<UInt8>) { seat.participant.receive(packet, payload: payload) }

    mutating func received(_ frame: ReceivedVideo, bytes: Span<UInt8>) { seat.participant.receive(frame, bytes: bytes) }

    mutating func ended(source: Int) { seat.participant.endedVideo(source) }

    mutating func wantsKeyFrame() { seat.bridge.wantsKeyFrame(seat.wantedStream) }

    mutating func closed(_ reason: PeerCloseReason) { closed = reason }
}

extension LeaveReason {
    /// - Parameter asked: what control said when it ended the session.
    init(_ reason: PeerCloseReason, asked: LeaveReason?) {
        switch reason {
        case .closedHere: self = asked ?? .left
        case .closedByPeer: self = .closedByPeer
        case .consentLost: self = .consentLost
        case .neverConnected, .handshakeFailed: self = .neverConnected
        }
    }
}
