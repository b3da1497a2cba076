import Formats
import Foundation
import Meetings

@testable import ControlPlane

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
