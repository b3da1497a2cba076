import Foundation
import Meetings

extension MeetingState {
    /// An order decided and carried out at once, as where no store is awaited between.
    mutating func apply(_ order: Order, by authority: Authority, at now: Date) throws(MeetingRefusal) -> [Notice] {
        carryOut(try decide(order, by: authority, at: now))
    }

    mutating func carryOut(_ decision: Decision) -> [Notice] {
        var notices: [Notice] = []
        for event in decision.events { notices += evolve(event) }
        for fact in decision.facts { notices += take(fact) }
        return notices
    }
}
