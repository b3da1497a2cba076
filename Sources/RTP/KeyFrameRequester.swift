import Base

/// Asks one sender for a key frame (PLI, RFC 4585 §6.3.1) until one comes, never twice within `interval`.
package struct KeyFrameRequester: Sendable {
    package enum Input: Sendable { case wanted, keyFrame, timer }
    package static let interval = Duration.seconds(1)
    private var isWaiting = false
    private var mayAskFrom: Instant?

    package init() {}

    /// When to send `.timer`; nil while there is nothing to wait for.
    package var deadline: Instant? { isWaiting ? mayAskFrom : nil }

    /// - Returns: whether a request must go out now.
    package mutating func handle(_ input: Input, now: Instant) -> Bool {
        switch input {
        case .wanted: isWaiting = true
        case .keyFrame: isWaiting = false
        case .timer: break
        }
        guard isWaiting, now >= mayAskFrom ?? now else { return false }
        mayAskFrom = now + Self.interval
        return true
    }
}
