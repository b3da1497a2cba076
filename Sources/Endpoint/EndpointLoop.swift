import Base
import Foundation
import Net
import Peer
import RTP

/// One thread for all endpoints of a process: `poll` over their sockets and the nearest deadline. `poll` and not `epoll`: it is asked of hundreds of
/// sockets, and which of them have something matters.
final class EndpointLoop: Sendable {
    /// Longest time without a look at the inbox.
    static let longestWait = Duration.milliseconds(10)
    static let largestDatagram = 2_048
    /// Between two published reports.
    static let publishing = Duration.milliseconds(250)

    private static let crowd = 16
    /// More than this process has sessions and a meeting has sites.
    private static let mostWishes = 4_096

    private struct Shared {
        var tickets: [EndpointSession.Ticket] = []
        var reports: [Int: EndpointSessionReport] = [:]
        var isStopping = false
        var hasEnded = false
        /// Lines wanted, by seat: who leads a meeting is told of others' too.
        var wishes: [String: Int] = [:]
        var hasNewWishes = false
    }
    private let shared = Guarded(Shared())

    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "endpoints"
        thread.start()
    }

    func add(_ ticket: EndpointSession.Ticket) { shared.withLock { $0.tickets.append(ticket) } }
    /// For endpoints that never reach the loop.
    func record(_ report: EndpointSessionReport, index: Int) { shared.withLock { $0.reports[index] = report } }
    /// What the channel says of pictures.
    func tell(_ wishes: PictureWishes) {
        guard !wishes.lines.isEmpty else { return }
        shared.withLock { shared in
            if shared.wishes.count > Self.mostWishes { shared.wishes.removeAll() }
            shared.wishes.merge(wishes.lines) { $1 }
            shared.hasNewWishes = true
        }
    }
    func stop() { shared.withLock { $0.isStopping = true } }
    var hasEnded: Bool { shared.withLock { $0.hasEnded } }
    /// By index.
    var reports: [EndpointSessionReport] { shared.withLock { $0.reports.sorted { $0.key < $1.key }.map(\.value) } }

    private func run() {
        var sessions: [EndpointSession] = []
        var buffer = [UInt8](repeating: 0, count: Self.largestDatagram)
        var waiting: [pollfd] = []
        var published = MediaClock.now()
        while !shared.withLock({ $0.isStopping }) {
            admit(to: &sessions)
            tellWishes(to: sessions)
            // A crowd that only counts what it receives is woken for many packets at once: it must not cost more than the server that it loads.
            if sessions.count > Self.crowd, !sessions[0].isDecoding { usleep(2_000) }
            wait(for: sessions, &waiting)
            for (place, entry) in waiting.enumerated() where entry.revents != 0 { sessions[place].receive(into: &buffer) }
            let now = MediaClock.now()
            for session in sessions where session.deadline <= now { session.tick(now: now) }
            guard now - published >= Self.publishing else { continue }
            published = now
            publish(sessions, now: now)
        }
        let now = MediaClock.now()
        publish(sessions, now: now)
        for session in sessions { session.close(now: now) }
        shared.withLock { $0.hasEnded = true }
    }

    private func admit(to sessions: inout [EndpointSession]) {
        let tickets = shared.withLock { state in
            defer { state.tickets = [] }
            return state.tickets
        }
        // A newcomer's wish may have come before it.
        if !tickets.isEmpty { shared.withLock { $0.hasNewWishes = !$0.wishes.isEmpty } }
        for var ticket in tickets {
            do {
                sessions.append(try EndpointSession(ticket, now: MediaClock.now()))
            } catch {
                (ticket.report.state, ticket.report.problem) = (.closed, (error as? CommandFailure)?.line ?? "\(error)")
                record(ticket.report, index: ticket.index)
            }
        }
    }

    private func tellWishes(to sessions: [EndpointSession]) {
        let wishes: [String: Int]? = shared.withLock { shared in
            defer { shared.hasNewWishes = false }
            return shared.hasNewWishes ? shared.wishes : nil
        }
        guard let wishes else { return }
        for session in sessions {
            if let lines = session.seat.flatMap({ wishes[$0] }) { session.wants(lines: lines) }
        }
    }

    private func wait(for sessions: [EndpointSession], _ waiting: inout [pollfd]) {
        waiting.removeAll(keepingCapacity: true)
        var until = MediaClock.now() + Self.longestWait
        for session in sessions {
            waiting.append(pollfd(fd: session.socket.descriptor, events: Int16(POLLIN), revents: 0))
            until = min(until, session.deadline)
        }
        let milliseconds = ((until - MediaClock.now()).nanoseconds + 999_999) / 1_000_000
        _ = poll(&waiting, nfds_t(waiting.count), Int32(max(0, milliseconds)))
    }

    private func publish(_ sessions: [EndpointSession], now: Instant) {
        let reports = sessions.map { ($0.index, $0.summary(now: now)) }
        shared.withLock { for (index, report) in reports { $0.reports[index] = report } }
    }
}
