import Synchronization

/// What the server has counted since its start; the control plane puts it into `/metrics`.
package final class Counters: Sendable {
    package struct Values: Sendable, Equatable {
        package var connections = 0
        /// Closed as they came: too many at once.
        package var connectionsRefused = 0
        package var requests = 0
        package var bodiesRefused = 0
        package var webSockets = 0
        /// WebSockets refused because the application took too long to decide.
        package var upgradesLate = 0
    }
    private let state = Mutex(Values())
    package var values: Values { state.withLock { $0 } }
    func add(_ path: WritableKeyPath<Values, Int> & Sendable) { state.withLock { $0[keyPath: path] += 1 } }
}
