import Base
import CWebSockets
import Foundation

/// File descriptors of the process.
package enum Descriptors {
    /// Kept free for the store, logs, resolvers and pipes.
    package static let spare = 64

    /// Raises the soft limit to the hard one, at most to 65 536: some parts keep a table of that size.
    /// - Returns: how many the process may have.
    package static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        let wanted = min(limit.rlim_max, 65_536)
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = wanted
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many are open now.
    package static var open: Int {
        // Where it cannot be counted as many as are kept free are taken to be open: nobody is refused for it.
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? spare
    }
}

/// What to do when `accept` has no descriptor left. The connection stays in the listener's queue and the listener stays readable, so that a loop
/// that goes on as if nothing were spins. One descriptor is kept for this: it is given up, the connection taken and closed, and it is opened again.
enum LastDescriptor {
    private struct State {
        var listeners: [Int32: ServerCounters] = [:]
        var spare: Int32 = -1
    }
    private static let state = Guarded(State())

    /// - Parameter port: of a listener of this process.
    static func watch(port: UInt16, _ counters: ServerCounters) {
        let listeners = (3..<1_024 as Range<Int32>).filter { isListening($0, port) }
        state.withLock { state in
            if state.spare < 0 { state.spare = open("/dev/null", O_RDONLY | O_CLOEXEC) }
            for one in listeners { state.listeners[one] = counters }
        }
    }

    static func forget(_ counters: ServerCounters) {
        state.withLock { state in state.listeners = state.listeners.filter { $0.value !== counters } }
    }

    /// Called on the service thread, when libwebsockets says that `accept` failed.
    static func acceptFailed() {
        state.withLock { state in
            guard state.spare >= 0 else {
                state.spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
                if state.spare < 0 { usleep(20_000) }
                return
            }
            close(state.spare)
            for (listener, counters) in state.listeners {
                let one = accept(listener, nil, nil)
                if one >= 0 {
                    close(one)
                    counters.add(\.acceptsFailed)
                }
            }
            state.spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
    }

    private static func isListening(_ descriptor: Int32, _ port: UInt16) -> Bool {
        var (listens, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else { return false }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
        // IPv4 and IPv6 have the port at the same place.
        let found = withUnsafeBytes(of: &storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
        return isKnown && found == port
    }
}
