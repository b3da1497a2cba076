import Foundation
import Synchronization

/// Listens for what other processes of the installation write, on a connection and a thread of its own.
final class PostgresListener: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<StoreChange>.Continuation] = [:]
        var made = 0
        var hasBegun = false
    }
    private let state = Mutex(State())
    private let place: PostgresPlace
    private let channel: String
    private let origin: String
    private let stop: StopFlag
    /// Changes that wait for a reader; where there are more, it is told to look at everything.
    private static let mostWaiting = 256

    init(_ place: PostgresPlace, channel: String, origin: String, stop: StopFlag) {
        self.place = place
        self.channel = channel
        self.origin = origin
        self.stop = stop
    }

    /// The connection is made when the first one wants to know.
    func changes() -> AsyncStream<StoreChange> {
        let (stream, continuation) = AsyncStream.makeStream(of: StoreChange.self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        let isFirst = state.withLock { state in
            state.made += 1
            let number = state.made
            state.listeners[number] = continuation
            continuation.onTermination = { [weak self] _ in self?.forget(number) }
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        if isFirst {
            let thread = Thread { [self] in run() }
            thread.name = "store-notices"
            thread.start()
        }
        return stream
    }

    func end() { for one in state.withLock({ $0.listeners }) { one.value.finish() } }

    private func forget(_ number: Int) { state.withLock { $0.listeners[number] = nil } }

    private func run() {
        var pause = 0.05
        while !stop.isSet {
            do throws(StoreError) {
                let connection = try PostgresConnection(place, deadline: .now + .seconds(10), stop: stop)
                try connection.listen(to: channel)
                pause = 0.05
                // What was written while nobody listened is not told again.
                tell(.everything)
                while !stop.isSet {
                    connection.deadline = .now + .seconds(30)
                    for text in try connection.notices() { take(text) }
                }
            } catch {
                Thread.sleep(forTimeInterval: pause)
                pause = min(pause * 2, 2)
            }
        }
    }

    private func take(_ text: String) {
        guard let notice = StoreNotice(parsing: text), notice.origin != origin else { return }
        for change in notice.changes { tell(change) }
    }

    private func tell(_ change: StoreChange) {
        for one in state.withLock({ $0.listeners }).values {
            if case .dropped = one.yield(change) { one.yield(.everything) }
        }
    }
}
