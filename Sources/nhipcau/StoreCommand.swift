import Base
import Foundation
import Store
import Synchronization

/// `nhipcau store`: carries what lasts from one engine to the other, and prints it.
enum StoreCommand {
    static func run(_ words: [String]) async throws(CommandFailure) -> Int32 {
        for word in words where word.hasPrefix("--") { throw .usage("store: unknown word \"\(word)\"; see nhipcau help store") }
        switch (words.first, words.count) {
        case ("copy", 3): return try await copy(try place(words[1], mustExist: true), try place(words[2], mustExist: false))
        case ("export", 2): return try await export(try place(words[1], mustExist: true))
        default: throw .usage("store takes copy FROM TO, or export STORE; see nhipcau help store")
        }
    }

    static func open(_ place: StorePlace, _ shown: String) async throws(CommandFailure) -> any Store {
        do throws(StoreError) { return try await place.open(now: Date()) } catch {
            throw CommandFailure(code: ExitCode.of(error), line: "\(shown): \(error)")
        }
    }

    private static func place(_ text: String, mustExist: Bool) throws(CommandFailure) -> StorePlace {
        let place = try Configuration.storePlace(text, "store")
        if mustExist, case .sqlite(let path) = place, !FileManager.default.fileExists(atPath: path) {
            throw .input("\(place.shown): there is no such file")
        }
        return place
    }

    private static func copy(_ from: StorePlace, _ to: StorePlace) async throws(CommandFailure) -> Int32 {
        let source = try await open(from, from.shown)
        let outcome: Result<String, CommandFailure>
        do throws(CommandFailure) {
            let target = try await open(to, to.shown)
            do throws(CommandFailure) {
                outcome = .success(try await copy(source, from.shown, target, to.shown))
            } catch { outcome = .failure(error) }
            await target.close()
        } catch {
            await source.close()
            throw error
        }
        await source.close()
        print(try outcome.get())
        return 0
    }

    private static func copy(
        _ source: any Store, _ from: String, _ target: any Store, _ to: String
    ) async throws(CommandFailure) -> String {
        guard try await summary(target, to).isEmpty else {
            throw CommandFailure(code: ExitCode.cannotCreate, line: "\(to): it has rows already; name an empty store")
        }
        let rows = Mutex<[StoredRow]>([])
        do throws(StoreError) {
            try await source.dump { row in rows.withLock { $0.append(row) } }
        } catch { throw CommandFailure(code: ExitCode.of(error), line: "\(from): \(error)") }
        do throws(StoreError) {
            try await target.commit(Batch(rows.withLock { $0 }.map { .restore($0) }))
        } catch { throw CommandFailure(code: ExitCode.of(error), line: "\(to): \(error)") }
        let (before, after) = (try await summary(source, from), try await summary(target, to))
        guard before == after else {
            throw CommandFailure(
                code: ExitCode.cannotCreate,
                line: "\(to): \(after) is not what \(from) has, \(before): did somebody write meanwhile? Stop the server and copy again")
        }
        return "\(from) → \(to)\n\(after)"
    }

    private static func summary(_ store: any Store, _ shown: String) async throws(CommandFailure) -> StoreSummary {
        let summary = Mutex(StoreSummary())
        do throws(StoreError) {
            try await store.dump { row in summary.withLock { $0.add(row) } }
        } catch { throw CommandFailure(code: ExitCode.of(error), line: "\(shown): \(error)") }
        return summary.withLock { $0 }
    }

    private static func export(_ place: StorePlace) async throws(CommandFailure) -> Int32 {
        let store = try await open(place, place.shown)
        let summary = Mutex(StoreSummary())
        let failure: StoreError?
        do throws(StoreError) {
            try await store.dump { row in
                FileHandle.standardOutput.write(Data((row.line + "\n").utf8))
                summary.withLock { $0.add(row) }
            }
            failure = nil
        } catch { failure = error }
        await store.close()
        if let failure { throw CommandFailure(code: ExitCode.of(failure), line: "\(place.shown): \(failure)") }
        FileHandle.standardError.write(Data("\(summary.withLock { $0 })\n".utf8))
        return 0
    }
}

extension ExitCode {
    /// Of a store that does not open.
    static func of(_ error: StoreError) -> Int32 {
        switch error {
        case .gone, .slow: unavailable
        case .badPlace: input
        default: cannotCreate
        }
    }
}
