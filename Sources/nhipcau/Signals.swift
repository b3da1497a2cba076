import Dispatch
import Foundation

/// Waits for the signals that end or reload a server.
enum Signals {
    /// Returns at SIGTERM or SIGINT. SIGHUP calls `onHangUp` each time.
    static func wait(onHangUp: @escaping @Sendable () async -> Void) async {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGTERM, SIGINT, SIGHUP] {
            // The source sees the signal only where its default, to end the process, is off.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            sources.append(source)
        }
        for await number in stream {
            guard number == SIGHUP else { break }
            await onHangUp()
        }
        for source in sources { source.cancel() }
    }
}
