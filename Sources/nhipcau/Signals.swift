import Dispatch
import Foundation

/// The signals that end or reload a server. Made before its address is told: whoever reads that may send one at once.
struct Signals {
    private let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    /// Returns when signals are heard: one that came before a source is registered would be lost.
    init() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.stream = stream
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGTERM, SIGINT, SIGHUP] {
            // The source sees the signal only where its default, to end the process, is off.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.resume()
            }
            sources.append(source)
        }
        self.sources = sources
    }

    /// Returns at SIGTERM or SIGINT. SIGHUP calls `onHangUp` each time.
    func wait(onHangUp: @escaping @Sendable () async -> Void) async {
        for await number in stream {
            guard number == SIGHUP else { break }
            await onHangUp()
        }
        for source in sources { source.cancel() }
    }
}
