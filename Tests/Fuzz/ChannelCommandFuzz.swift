import Formats
import Foundation
import Meetings

@testable import ControlPlane

@_silgen_name("__lsan_disable") private func disableLeakDetection()
@_silgen_name("__lsan_enable") private func enableLeakDetection()

/// The declarations of the commands are made once and kept for good. They hold indirect enumerations, whose pointers carry the case in their low bits: the
/// leak sanitizer does not know such a pointer again and would name each declaration. So they are made outside its sight; what a command makes is within it.
@c(LLVMFuzzerInitialize) public func initializeFuzzer(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    disableLeakDetection()
    let declared = CommandKind.byType.count
    enableLeakDetection()
    return declared == CommandKind.all.count ? 0 : 1
}

/// Whatever text comes over the channel, it is a command, or a problem that has words in both languages and the shape of RFC 9457.
@c(LLVMFuzzerTestOneInput) public func fuzzChannelCommand(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    do throws(Problem) {
        let sent = try SentCommand(try RequestBody.json(input), own: [UUID(), UUID()])
        precondition(CommandKind.byType[sent.type] != nil)
        switch sent.action {
        case .orders(let orders): precondition(orders.count <= 2)
        case .watch(let watched): precondition(watched.isSubset(of: .all))
        }
    } catch {
        for language in Language.allCases {
            let problem = error.json(in: language)
            guard case .string(let detail)? = problem["detail"], case .string(let title)? = problem["title"] else {
                preconditionFailure("a problem without words")
            }
            precondition(!detail.isEmpty && !title.isEmpty)
            precondition((try? JSONValue(parsing: problem.bytes)) != nil)
        }
    }
    return 0
}
