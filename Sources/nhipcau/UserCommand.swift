import Base
import ControlPlane
import Foundation
import Meetings
import Records
import Store

/// `nhipcau user`: accounts, for whoever has the machine.
enum UserCommand {
    static func run(_ arguments: [String]) async throws(CommandFailure) -> Int32 {
        let plain = arguments.prefix { !$0.hasPrefix("--") }
        let words = try Arguments(Array(arguments.dropFirst(plain.count)), of: "user", known: ["--data", "--store"])
        let folder = words["--data"] ?? "data"
        let path = folder + "/nhipcau.sqlite"
        let place: StorePlace
        if let text = words["--store"] {
            guard words["--data"] == nil else { throw .usage("user takes --data or --store, not both") }
            place = try Configuration.storePlace(text, "--store")
        } else {
            guard FileManager.default.fileExists(atPath: path) else {
                throw .input("--data \(folder): there is no nhipcau.sqlite; name the folder that serve has, or its --store")
            }
            place = .sqlite(path: path)
        }
        let store = try await StoreCommand.open(place, words["--store"] == nil ? "--data \(folder)" : "--store \(place.shown)")
        let outcome: Result<Int32, CommandFailure>
        do throws(CommandFailure) {
            outcome = .success(try await act(Array(plain), AccountTool(store: Records(store))))
        } catch { outcome = .failure(error) }
        await store.close()
        return try outcome.get()
    }

    private static func act(_ words: [String], _ tool: AccountTool) async throws(CommandFailure) -> Int32 {
        do throws(AccountTool.Failure) {
            switch (words.first, words.count) {
            case ("list", 1):
                for user in try await tool.users() {
                    print("\(user.username)\t\(user.role.rawValue)\t\(user.isDisabled ? "disabled" : "open")\t\(user.name)")
                }
            case ("password", 2):
                let given = ProcessInfo.processInfo.environment["NHIPCAU_PASSWORD"].flatMap { $0.isEmpty ? nil : $0 }
                if let made = try await tool.setPassword(of: words[1], to: given) {
                    print("Mật khẩu mới (chỉ hiện một lần) / new password (shown once): \(made)")
                }
            case ("disable", 2): try await tool.setDisabled(words[1], true)
            case ("enable", 2): try await tool.setDisabled(words[1], false)
            case ("role", 3) where UserRole(rawValue: words[2]) != nil:
                if let role = UserRole(rawValue: words[2]) { try await tool.setRole(of: words[1], to: role) }
            default: return try usage()
            }
        } catch { throw failure(error) }
        return 0
    }

    private static func usage() throws(AccountTool.Failure) -> Int32 {
        let roles = UserRole.allCases.map(\.rawValue).joined(separator: "|")
        let line = "nhipcau: user takes list, password NAME, disable NAME, enable NAME, or role NAME \(roles)\n"
        FileHandle.standardError.write(Data(line.utf8))
        return ExitCode.usage
    }

    private static func failure(_ failure: AccountTool.Failure) -> CommandFailure {
        switch failure {
        case .noSuchUser(let name): .input("there is no account \"\(name)\"; nhipcau user list shows them")
        case .weakPassword(let least): .usage("NHIPCAU_PASSWORD: use \(least) characters or more")
        case .hashingFailed: CommandFailure(code: ExitCode.unavailable, line: "there is no memory to hash the password; try again")
        case .store(let error): CommandFailure(code: ExitCode.unavailable, line: "\(error)")
        }
    }
}
