import Synchronization

/// What the channels of all meetings were told, for `/metrics`: texts that were made, which must not grow with those who follow, and messages handed to them.
final class ChannelCounts: Sendable {
    let texts = Atomic(0)
    let messages = Atomic(0)
}
