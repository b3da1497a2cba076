import Base
import Foundation

@testable import nhipcau

/// Whatever stands in a configuration file, it is read, or refused by a line that names the file; whatever words follow `serve`, they are read, or
/// refused by a line that says what to write instead.
@c(LLVMFuzzerTestOneInput) public func fuzzConfiguration(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Data(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    do throws(CommandFailure) {
        var configuration = Configuration()
        try configuration.take(try ConfigurationFields(input, file: "fuzz.json"))
        precondition((1...720).contains(configuration.sessionHours) && (30...36_500).contains(configuration.auditDays))
        precondition((1...1_000).contains(configuration.mediaSessionsPerLogin) && configuration.trustedProxies.count <= 64)
        precondition(configuration.gateways.values.allSatisfy { (1...2_000).contains($0) })
    } catch {
        precondition(error.line.contains("fuzz.json") && (error.code == ExitCode.input || error.code == ExitCode.usage))
    }
    let words = String(decoding: input.prefix(512), as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    // A file is named by hand only: the fuzzer would name any of the machine.
    guard !words.contains(where: { $0.hasPrefix("--config") }) else { return 0 }
    do throws(CommandFailure) {
        let (configuration, _) = try Configuration.parse(words)
        precondition(configuration.trustedProxies.count <= 64)
    } catch {
        precondition(error.code == ExitCode.usage && !error.line.isEmpty)
    }
    return 0
}
