import Base

/// What the server has counted since its start; the control plane puts it into `/metrics`.
package final class ServerCounters: Sendable {
    package struct Values: Sendable, Equatable {
        package var connections = 0
        /// Closed as they came: too many at once.
        package var connectionsRefused = 0
        /// Closed for a newcomer before they had asked for anything, or while idle.
        package var connectionsDisplaced = 0
        package var requests = 0
        /// Requests that two readers could take for different ones (RFC 9112 §11.2), refused with 400.
        package var ambiguous = 0
        package var bodiesRefused = 0
        package var webSockets = 0
        /// Closed as they came, for want of file descriptors.
        package var acceptsFailed = 0
    }
    package init() {}
    private let state = Guarded(Values())
    package var values: Values { state.withLock { $0 } }
    func add(_ path: WritableKeyPath<Values, Int> & Sendable) { state.withLock { $0[keyPath: path] += 1 } }
}
