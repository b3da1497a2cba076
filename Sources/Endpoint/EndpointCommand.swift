import Base
import Foundation

/// `nhipcau endpoint`.
package enum EndpointCommand {
    /// - Parameter arguments: what follows `endpoint`.
    /// - Throws: why it did not start, or what it could not write in the end.
    package static func run(arguments: [String]) async throws(CommandFailure) {
        let options = try EndpointOptions(parsing: arguments, environment: { ProcessSecrets.take($0) })
        try checkReport(options.report)
        let endpoint = try HeadlessEndpoint(options)
        let ending = Ending()
        do throws(CommandFailure) {
            try await endpoint.start()
        } catch {
            try write(await endpoint.stop(), to: options.report)
            throw error
        }
        await ending.wait(atMost: options.duration)
        try write(await endpoint.stop(), to: options.report)
    }

    /// Told before anything is started, not after an hour of measuring.
    private static func checkReport(_ path: String?) throws(CommandFailure) {
        guard let path, path != "-" else { return }
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw .input(path, "the folder does not exist or cannot be written to.")
        }
    }

    private static func write(_ report: EndpointReport, to path: String?) throws(CommandFailure) {
        guard let path else { return }
        do {
            let json = try report.json() + Data("\n".utf8)
            if path == "-" { FileHandle.standardOutput.write(json) } else { try json.write(to: URL(filePath: path), options: .atomic) }
        } catch {
            throw CommandFailure(code: ExitCode.output, line: "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

/// SIGINT and SIGTERM, as the end of a wait.
private final class Ending: Sendable {
    private let stream: AsyncStream<Void>
    /// Kept only so that they live; never touched after `init`.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        self.stream = stream
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)  // else the default action ends the process before the source is asked
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }

    func wait(atMost duration: Duration?) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [stream] in for await _ in stream { return } }
            // Cancelled when the signal came first.
            if let duration { group.addTask { try? await Task.sleep(for: duration) } }
            await group.next()
            group.cancelAll()
        }
    }
}
