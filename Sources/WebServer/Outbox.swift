import Base

/// What tasks hand to the service thread for one connection. The only thing of a connection that other threads touch.
final class Outbox: Sendable {
    struct Closing: Sendable, Equatable { var code: UInt16, reason: String }
    /// What the application made of a request.
    enum Ready: Sendable { case response(HTTPResponse), decision(UpgradeDecision) }
    private struct Waiting {
        var ready: Ready?
        var messages: [String] = []
        var bytes = 0
        var closing: Closing?
        var isGone = false
    }

    let id: UInt64
    private let waiting = Guarded(Waiting())
    private let waker: Waker
    private let limit: (messages: Int, bytes: Int)

    init(id: UInt64, waker: Waker, limit: (messages: Int, bytes: Int)) { (self.id, self.waker, self.limit) = (id, waker, limit) }

    func put(_ ready: Ready) {
        waiting.withLock { if !$0.isGone { $0.ready = ready } }
        waker.wake(id)
    }

    /// - Returns: false where the connection is gone or its reader is too slow; it is then closed with 1013, try again later.
    func send(_ text: String) -> Bool {
        let size = text.utf8.count
        let isTaken = waiting.withLock { box in
            guard !box.isGone, box.closing == nil else { return false }
            guard box.messages.count < limit.messages, box.bytes + size <= limit.bytes else {
                // What waits is dropped: a reader that slow would not get to the close frame behind it.
                (box.messages, box.bytes) = ([], 0)
                box.closing = Closing(code: 1013, reason: "too slow")
                return false
            }
            box.messages.append(text)
            box.bytes += size
            return true
        }
        waker.wake(id)
        return isTaken
    }

    /// The close frame follows what is already waiting. The first reason counts.
    func close(_ closing: Closing) {
        waiting.withLock { if $0.closing == nil { $0.closing = closing } }
        waker.wake(id)
    }

    func takeReady() -> Ready? {
        waiting.withLock { box in
            defer { box.ready = nil }; return box.ready
        }
    }

    enum Next: Equatable { case message(String), close(Closing), nothing }

    /// The next thing for the WebSocket, in order.
    func takeNext() -> Next {
        waiting.withLock { box in
            if !box.messages.isEmpty {
                let text = box.messages.removeFirst()
                box.bytes -= text.utf8.count
                return .message(text)
            }
            return box.closing.map(Next.close) ?? .nothing
        }
    }

    func connectionIsGone() {
        waiting.withLock { box in
            box = Waiting(isGone: true)
        }
    }
}

/// Wakes the service thread and tells it which connections have something waiting.
final class Waker: Sendable {
    private struct State {
        var wake: (@Sendable () -> Void)?
        var ids: Set<UInt64> = []
        var isReloading = false
        var isStopping = false
    }
    private let state = Guarded(State())

    /// - Parameter wake: called under the lock, so that it never meets a context that is being destroyed; nil before that.
    func attach(_ wake: (@Sendable () -> Void)?) { state.withLock { $0.wake = wake } }

    func wake(_ id: UInt64) {
        state.withLock { state in
            // One wake covers all that come before the thread looks.
            if state.ids.isEmpty { state.wake?() }
            state.ids.insert(id)
        }
    }

    func reload() {
        state.withLock {
            $0.isReloading = true; $0.wake?()
        }
    }
    func stop() {
        state.withLock {
            $0.isStopping = true; $0.wake?()
        }
    }
    var isStopping: Bool { state.withLock { $0.isStopping } }

    func take() -> (ids: Set<UInt64>, reload: Bool) {
        state.withLock { state in
            defer { (state.ids, state.isReloading) = ([], false) }
            return (state.ids, state.isReloading)
        }
    }
}
