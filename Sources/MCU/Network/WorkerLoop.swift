import Base
import CCache
import Foundation
import ICE
import Net
import Peer
import RTP

/// The inside of a media worker: its peers by session and by address. Not Sendable: the compiler keeps it on its thread.
final class WorkerLoop {
    /// Addresses of peers that other workers own, kept so that their datagrams need no lookup. Bounded: a full table starts anew.
    private static let mostForeignAddresses = 4_096

    let socket: UDPSocket
    private let worker: Int
    private let directory: SessionDirectory
    private let colleagues: @Sendable (Int) -> MediaWorker?
    private let events: EventHub
    private let receiver: DatagramReceiver
    private let sender: DatagramSender
    /// Reports with lines so far.
    private var reports = 0
    /// How many of them a seat's way is relied on. Checks, which always name the own address, go on meanwhile.
    private static let wayLasts = 5

    private var seats: [UUID: Seat] = [:]
    /// The same, to be gone through.
    private var everyone: [Seat] = []
    /// When each of them wants its timer, in a row of its own: a look goes past every seat and touches none that is not due.
    private var deadlines: [Instant] = []
    /// When timers are looked at next.
    private var nextLook = Instant.start
    private var seatsByAddress: [TransportAddress: Seat] = [:]
    private var seatsByBridge: [ObjectIdentifier: [Seat]] = [:]
    private var foreign: [TransportAddress: Int] = [:]
    private var counters = WorkerCounters()
    private var dropsOfGone = DropCounters()
    private var trafficOfGone = Traffic()
    private var framesOfGone: UInt64 = 0
    private var soundOfGone: (sent: UInt64, received: UInt64) = (0, 0)
    private(set) var isStopped = false
    /// The latest time that peers were told: time never goes back for them.
    private var lastTime = Instant.start
    /// Pictures on their way to a crowd.
    private var spreads: [Spread] = []
    /// Counts the turns, and the ticks of sound that were sent on.
    private var (turnNumber, soundNumber) = (0, 0)
    private var handshakes = HandshakeQueue<(bytes: [UInt8], source: TransportAddress, seat: Seat)>()

    init(
        socket: UDPSocket, worker: Int, directory: SessionDirectory, colleagues: @escaping @Sendable (Int) -> MediaWorker?,
        events: EventHub,
        streams: StreamOutlet? = nil
    ) {
        self.socket = socket
        self.worker = worker
        self.directory = directory
        self.colleagues = colleagues
        self.events = events
        receiver = DatagramReceiver(directory.locals)
        sender = DatagramSender(socket: socket, locals: directory.locals, streams: streams)
    }

    // MARK: Datagrams

    func receive(now: Instant) {
        handshakes.beginTurn()
        while let one = handshakes.take() {
            guard !one.seat.isGone else { continue }
            var bytes = one.bytes
            var datagram = bytes.mutableSpan
            hand(&datagram, from: one.source, to: one.seat, now: now)
        }
        // Bounded, so that a flood cannot keep timers and media from their turn.
        for _ in 0..<16 {
            let count = receiver.receive(from: socket)
            counters.datagramsReceived &+= UInt64(count)
            for index in 0..<count {
                receiver.withDatagram(index, earliest: lastTime, now: now) { datagram, source, arrival in
                    handle(&datagram, from: source, now: arrival)
                }
            }
            if count < DatagramReceiver.batch { return }
            sender.flush()
        }
    }

    private func handle(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, now: Instant) {
        if let seat = seatsByAddress[source] {
            // A client may use one address for a new session after the old one: its STUN checks tell.
            if DatagramKind(datagram.span.bytes) != .stun || seat.isNamed(in: datagram.span) {
                return deliver(&datagram, from: source, to: seat, now: now)
            }
        }
        guard DatagramKind(datagram.span.bytes) == .stun else {
            guard let owner = foreign[source] else {
                counters.strangers &+= 1
                return
            }
            return pass(datagram.span, from: source, to: owner)
        }
        guard let fragment = STUNMessage.localUfrag(of: datagram.span.bytes) else {
            counters.strangers &+= 1
            return
        }
        switch directory.claim(fragment: fragment, worker: worker) {
        case .unknown: counters.strangers &+= 1
        case .take(let ticket):
            guard let seat = seat(for: ticket, now: now) else { return }
            deliver(&datagram, from: source, to: seat, now: now)
        case .owned(worker):
            guard let seat = seats.values.first(where: { $0.answers(to: fragment) }) else { return }
            deliver(&datagram, from: source, to: seat, now: now)
        case .owned(let owner):
            if foreign.count >= Self.mostForeignAddresses { foreign.removeAll(keepingCapacity: true) }
            foreign[source] = owner
            pass(datagram.span, from: source, to: owner)
        }
    }

    private func pass(_ datagram: Span<UInt8>, from source: TransportAddress, to owner: Int) {
        counters.forwarded &+= 1
        let copy = datagram.withUnsafeBufferPointer { Array($0) }
        colleagues(owner)?.post(.datagram(copy, from: source))
    }

    private func deliver(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, to seat: Seat, now: Instant) {
        if seat.peer.state == .connecting, DatagramKind(datagram.span.bytes) == .dtls, !handshakes.admits() {
            counters.handshakesPostponed &+= 1
            if !handshakes.postpone((datagram.span.withUnsafeBufferPointer { Array($0) }, source, seat)) { counters.strangers &+= 1 }
            return
        }
        hand(&datagram, from: source, to: seat, now: now)
    }

    private func hand(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, to seat: Seat, now: Instant) {
        var sink = SeatSink(seat: seat, sender: sender)
        seat.peer.handle(&datagram, from: source, now: now, sink: &sink)
        settle(seat, sink, answered: source)
    }

    /// After every input of a peer: notes the address that it proved, its connection and its end.
    private func settle(_ seat: Seat, _ sink: SeatSink, answered source: TransportAddress? = nil) {
        if let source, sink.answered == source, seatsByAddress[source] !== seat {
            seatsByAddress[source] = seat
            seat.addresses.append(source)
        }
        if sink.isConnected {
            seat.participant.isConnected = true
            seat.followParticipant()
            seat.bridge.sessionConnected(seat.participant, waitingFor: seat.wantedStream)
            events.send(.connected(meeting: seat.bridge.meeting, session: seat.session))
        }
        if let reason = sink.closed { return remove(seat, reason: LeaveReason(reason, asked: seat.leaving)) }
        if seat.peer.recommendedTier != seat.lastAdvice { seat.followLine() }
        deadlines[seat.place] = seat.peer.deadline ?? .distantFuture
    }

    private func seat(for ticket: SessionTicket, now: Instant) -> Seat? {
        // Without memory for a handshake there is no session: the client tries again.
        guard let peer = try? Peer(configuration: ticket.peer, now: now) else {
            directory.remove(ticket.session)
            ticket.bridge.remove(ticket.participant, reason: .neverConnected)
            return nil
        }
        let seat = Seat(ticket: ticket, peer: peer)
        seats[ticket.session] = seat
        seat.place = everyone.count
        everyone.append(seat)
        deadlines.append(now)
        nextLook = now
        seatsByBridge[ObjectIdentifier(ticket.bridge), default: []].append(seat)
        ticket.participant.worker = worker
        var sink = SeatSink(seat: seat, sender: sender)
        peer.start(now: now, sink: &sink)
        settle(seat, sink)
        return seat
    }

    private func remove(_ seat: Seat, reason: LeaveReason) {
        guard seats.removeValue(forKey: seat.session) != nil else { return }
        seat.isGone = true
        everyone.swapAt(seat.place, everyone.count - 1)
        deadlines.swapAt(seat.place, everyone.count - 1)
        everyone[seat.place].place = seat.place
        everyone.removeLast()
        deadlines.removeLast()
        for address in seat.addresses where seatsByAddress[address] === seat { seatsByAddress[address] = nil }
        let key = ObjectIdentifier(seat.bridge)
        seatsByBridge[key]?.removeAll { $0 === seat }
        if seatsByBridge[key]?.isEmpty == true { seatsByBridge[key] = nil }
        dropsOfGone.add(seat.peer.drops)
        trafficOfGone.add(seat.peer.statistics)
        framesOfGone &+= seat.peer.statistics.videoFramesSent
        soundOfGone.sent &+= seat.peer.statistics.audioPacketsSent
        soundOfGone.received &+= seat.peer.statistics.audioPacketsReceived
        directory.remove(seat.session)
        seat.bridge.remove(seat.participant, reason: reason)
    }

    // MARK: Commands

    func apply(_ command: MediaCommand, now: Instant) {
        switch command {
        case .audio(let bridge, let frame): send(frame, to: bridge, now: now)
        case .video(let bridge, let stream, let keys, let frame): send(frame, of: stream, keys: keys, to: bridge, now: now)
        case .apply(let session, let negotiated, let credentials):
            withPeer(of: session) { seat, sink in
                seat.participant.follow(negotiated)
                seat.followParticipant()
                seat.bridge.membersChanged()
                seat.peer.apply(negotiated, localCredentials: credentials, now: now, sink: &sink)
                if credentials != nil {
                    seat.fragments = seat.peer.localFragments.compactMap { UsernameFragment($0) }
                    directory.keep(fragments: seat.fragments, of: seat.session)
                }
            }
        case .requestKeyFrame(let session, let source):
            withPeer(of: session) { $0.peer.requestKeyFrame(source: source, now: now, sink: &$1) }
        case .wantHeight(let session, let source, let lines):
            withPeer(of: session) { $0.peer.setWantedHeight(lines, source: source, now: now, sink: &$1) }
        case .wantVideo(let session, let wanted):
            withPeer(of: session) { $0.peer.setVideoWanted(wanted, now: now, sink: &$1) }
        case .watch(let session): withPeer(of: session) { seat, _ in seat.followLine() }
        case .listen(let session): withPeer(of: session) { seat, _ in seat.followParticipant() }
        case .lowerVideo(let session): withPeer(of: session) { $0.peer.lowerVideo(now: now, sink: &$1) }
        case .close(let session, let reason):
            withPeer(of: session) { seat, sink in
                seat.leaving = reason
                seat.peer.close(now: now, sink: &sink)
            }
        case .datagram(let bytes, let source):
            var bytes = bytes
            var datagram = bytes.mutableSpan
            handle(&datagram, from: source, now: now)
        case .stop:
            for seat in Array(seats.values) { apply(.close(session: seat.session, .serverStopping), now: now) }
            flush()
            isStopped = true
        }
    }

    private func withPeer(of session: UUID, _ body: (Seat, inout SeatSink) -> Void) {
        guard let seat = seats[session] else { return }
        var sink = SeatSink(seat: seat, sender: sender)
        body(seat, &sink)
        settle(seat, sink)
    }

    // MARK: Media

    private func send(_ frame: AudioFrame, to bridge: Bridge, now: Instant) {
        guard let present = seatsByBridge[ObjectIdentifier(bridge)] else { return }
        soundNumber &+= 1
        // A part of a picture that is due now goes first, to each seat with the sound right behind it: both leave as one message to the kernel.
        for index in spreads.indices where spreads[index].bridge === bridge {
            sendPart(index, now: now) { seat in send(frame, to: seat, now: now) }
        }
        for place in present.indices {
            prefetch(present, behind: place, video: false)
            send(frame, to: present[place], now: now)
        }
    }

    /// Hundreds of seats do not stay in the caches from one tick to the next: those that are next are asked for while one is served.
    private func prefetch(_ seats: [Seat], behind place: Int, video: Bool) {
        guard place + 8 < seats.count else { return }
        nc_prefetch(Unmanaged.passUnretained(seats[place + 8]).toOpaque(), 256)
        seats[place + 5].peer.prefetch()
        seats[place + 2].peer.prefetchStream(video: video)
    }

    private func send(_ frame: AudioFrame, to seat: Seat, now: Instant) {
        guard seat.hears, seat.mix == frame.mix, seat.soundNumber != soundNumber else { return }
        seat.soundNumber = soundNumber
        guard let packet = seat.takes(frame) else { return }
        var sink = SeatSink(seat: seat, sender: sender)
        frame.withPayload(of: packet) { bytes in
            seat.peer.sendAudio(
                bytes, timestamp: packet.timestamp, captured: packet.captured, marker: seat.isFirstSound, redundancy: packet.redundancy,
                now: now, sink: &sink)
            seat.isFirstSound = false
        }
    }

    /// A picture that leaves for a crowd in parts, so that neither this thread nor the network has it all at once.
    private struct Spread {
        var bridge: Bridge
        var frame: PacketisedFrame
        var stream: PictureStream
        var keys: StreamSet
        var seats: [Seat]
        var next = 0
        var step: Int
        /// The turn in which a part of it went.
        var turn = -1
        var posted: Instant
    }
    /// So many receivers are no crowd; more have their picture within two turns, of which one has a sound too.
    private static let (burst, parts) = (24, 2)
    /// A thread that is late for its turns sends what waits in any of them.
    private static let mostWait = Duration.milliseconds(25)

    private func send(_ frame: PacketisedFrame, of stream: PictureStream, keys: StreamSet, to bridge: Bridge, now: Instant) {
        guard let present = seatsByBridge[ObjectIdentifier(bridge)] else { return }
        guard isCrowd, present.count > Self.burst else {
            for seat in present { send(frame, of: stream, keys: keys, to: seat, now: now) }
            return
        }
        spreads.append(
            Spread(
                bridge: bridge, frame: frame, stream: stream, keys: keys, seats: present,
                step: (present.count + Self.parts - 1) / Self.parts, posted: now))
    }

    /// The next part of each picture that is on its way. Older ones go first, so that every seat has them in order.
    func sendOn(now: Instant) {
        guard !spreads.isEmpty else { return turnNumber &+= 1 }
        for index in spreads.indices where !isLastTurn || now - spreads[index].posted > Self.mostWait {
            sendPart(index, now: now) { _ in }
        }
        spreads.removeAll { $0.next == $0.seats.count }
        turnNumber &+= 1
    }

    /// The next part of a picture, unless one went in this turn.
    /// - Parameter sent: called after each seat that it went to.
    private func sendPart(_ index: Int, now: Instant, _ sent: (Seat) -> Void) {
        guard spreads[index].turn != turnNumber else { return }
        let (frame, stream, keys, seats) = (spreads[index].frame, spreads[index].stream, spreads[index].keys, spreads[index].seats)
        let end = min(seats.count, spreads[index].next + spreads[index].step)
        for place in spreads[index].next..<end where !seats[place].isGone {
            prefetch(seats, behind: place, video: true)
            if send(frame, of: stream, keys: keys, to: seats[place], now: now) { sent(seats[place]) }
        }
        (spreads[index].next, spreads[index].turn) = (end, turnNumber)
    }

    /// - Returns: whether it went.
    @discardableResult
    private func send(_ frame: PacketisedFrame, of stream: PictureStream, keys: StreamSet, to seat: Seat, now: Instant) -> Bool {
        guard seat.sees, seat.takes(frame, of: stream, keys: keys) else { return false }
        var sink = SeatSink(seat: seat, sender: sender)
        let isSent = seat.peer.sendVideo(frame, now: now, sink: &sink)
        // What waits for room leaves by the timer.
        if seat.peer.isPacing {
            deadlines[seat.place] = seat.peer.deadline ?? .distantFuture
            nextLook = min(nextLook, max(now, deadlines[seat.place]))
        }
        return isSent
    }

    // MARK: Time

    /// A crowd's timers are looked at together: none of them is in such a hurry, and a look goes past every seat.
    private static let (fewSeats, manySeats, lookInterval) = (4, 100, Duration.milliseconds(10))

    func millisecondsToDeadline(_ now: Instant) -> Int32 {
        guard !everyone.isEmpty else { return 500 }
        guard handshakes.count == 0, spreads.isEmpty else { return 0 }
        return Int32(clamping: max(0, (nextLook - now).nanoseconds + 999_999) / 1_000_000)
    }

    func handleTimers(now: Instant) {
        lastTime = now
        guard now >= nextLook || everyone.count <= Self.fewSeats else { return }
        var earliest = now + .milliseconds(500)
        // From the end, since a peer that ends takes itself out, and the last one's place is then taken by one that was looked at.
        for index in everyone.indices.reversed() where index < everyone.count {
            guard deadlines[index] <= now else {
                earliest = min(earliest, deadlines[index])
                continue
            }
            let seat = everyone[index]
            var sink = SeatSink(seat: seat, sender: sender)
            seat.peer.handleTimer(now: now, sink: &sink)
            settle(seat, sink)
            if let deadline = seat.peer.deadline { earliest = min(earliest, deadline) }
        }
        // What datagrams and media set in between is seen at the next look.
        nextLook =
            everyone.count <= Self.fewSeats ? earliest : now + (everyone.count < Self.manySeats ? Self.lookInterval : Self.lookInterval * 2)
    }

    func flush() { sender.flush() }

    /// A few peers get every datagram at once; a crowd's gather until the next turn.
    var isCrowd: Bool { everyone.count > Self.fewSeats }

    /// A thread that is woken for each datagram of a crowd spends its time in waking up. These are its turns, in each tick of the mixers: after the mixes are made,
    /// once in between, and before the next mix, which needs what came in.
    private static let turns: [Duration] = [.milliseconds(2), .milliseconds(10), .microseconds(18_500)]
    /// The turn before a mix sends no pictures: the one behind it has sound to take along.
    private var isLastTurn = false

    /// The thread wakes whenever something comes.
    func takeNoTurns() { isLastTurn = false }

    /// When the next turn is, which then begins.
    func nextTurn(after now: Instant) -> Instant {
        let (time, index) = Self.turn(after: now)
        isLastTurn = index == Self.turns.count - 1
        return time
    }

    static func turn(after now: Instant) -> (time: Instant, index: Int) {
        let tick = MixerThread.audioInterval.nanoseconds
        let begin = Instant(nanoseconds: now.nanoseconds / tick * tick)
        for (index, turn) in turns.enumerated() where begin + turn > now { return (begin + turn, index) }
        return (begin + MixerThread.audioInterval + turns[0], 0)
    }

    /// Counts.
    /// - Parameter followLines: once a second: shows each session's state to control, and follows what lines can carry.
    func report(followLines: Bool) -> WorkerCounters {
        counters.peers = seats.count
        counters.datagramsSent = sender.sent
        (counters.datagramsNotSent, counters.messagesSent) = (sender.dropped, sender.messages)
        counters.drops = dropsOfGone
        counters.traffic = trafficOfGone
        counters.framesSent = framesOfGone
        (counters.soundSent, counters.soundReceived) = soundOfGone
        if followLines { reports += 1 }
        for seat in everyone {
            counters.drops.add(seat.peer.drops)
            counters.traffic.add(seat.peer.statistics)
            counters.framesSent &+= seat.peer.statistics.videoFramesSent
            counters.soundSent &+= seat.peer.statistics.audioPacketsSent
            counters.soundReceived &+= seat.peer.statistics.audioPacketsReceived
            seat.followSigns()
            guard followLines else { continue }
            if (reports + seat.place) % Self.wayLasts == 0 { seat.forgetWay() }
            seat.followLine()
            seat.followLoss()
            seat.participant.network = seat.peer.statistics
        }
        return counters
    }
}
