import Base
import CWebSockets
import Foundation

/// An HTTP/1.1 and WebSocket server over libwebsockets, with one service thread. Requests become tasks of `WebApplication`.
package final class WebServer: Sendable {
    /// The port that is listened on, also where the configuration said 0.
    package let port: UInt16
    package let counters: ServerCounters
    private let waker: Waker
    private let hasEnded: Completion

    /// Returns when the socket listens.
    /// - Parameter counters: one's own where another part shows them too.
    package init(
        configuration: WebServerConfiguration, application: any WebApplication, log: Log, counters: ServerCounters = ServerCounters()
    ) throws(WebServerError) {
        if let tls = configuration.tls {
            for file in [tls.certificate, tls.key] where access(file, R_OK) != 0 { throw .unreadable(file: file) }
        }
        LibraryLog.redirect(to: log)
        let (waker, hasEnded) = (Waker(), Completion())
        let service = ServiceThread(configuration: configuration, application: application, waker: waker, counters: counters, log: log)
        let outcome = Outcome()
        let thread = Thread {
            service.run { outcome.put($0) }
            hasEnded.finish()
        }
        thread.name = "web"
        thread.stackSize = 2 << 20
        thread.start()
        (self.waker, self.counters, self.hasEnded) = (waker, counters, hasEnded)
        port = try outcome.wait().get()
    }

    /// Reads the certificate and key again. Connections that exist go on with what they had.
    package func reloadCertificates() { waker.reload() }

    /// Closes every connection and ends the thread.
    package func stop() async {
        waker.stop()
        await hasEnded.wait()
    }

    /// How the start went, from the service thread to the one that waits for it.
    private final class Outcome: Sendable {
        private let result = Guarded<Result<UInt16, WebServerError>>(.failure(.noService("the service thread did not start")))
        private let isThere = DispatchSemaphore(value: 0)
        func put(_ value: Result<UInt16, WebServerError>) {
            result.withLock { $0 = value }
            isThere.signal()
        }
        func wait() -> Result<UInt16, WebServerError> {
            isThere.wait()
            return result.withLock { $0 }
        }
    }
}

/// Something that ends once and may be awaited by several.
private final class Completion: Sendable {
    private struct State {
        var isFinished = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Guarded(State())

    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiting.append(continuation) }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }
}

/// libwebsockets logs through one function of the process. What it calls errors is mostly what strangers sent, hence debug.
private enum LibraryLog {
    private static let log = Guarded<Log?>(nil)

    static func redirect(to log: Log) {
        Self.log.withLock { $0 = log }
        lws_set_log_level(nc_lws_log_levels()) { _, line in
            guard let line else { return }
            let text = String(cString: line).trimmingCharacters(in: .whitespacesAndNewlines)
            // Its only sign of EMFILE and ENFILE: it would try again at once, and for ever.
            if text.contains("accept: errno 24") || text.contains("accept: errno 23") { LastDescriptor.acceptFailed() }
            LibraryLog.log.withLock { $0 }?.debug("libwebsockets", ["text": text])
        }
    }
}
