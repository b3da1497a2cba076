internal import CSockets

/// An eventfd: any thread rings, the one that polls it wakes.
package final class Wakeup: Sendable {
    package let descriptor: Int32

    package init() { descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC)) }

    deinit { close(descriptor) }

    package func ring() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    package func silence() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}

/// What a media loop waits for: its sockets, its mailbox, and its next deadline.
package final class Poller {
    private let descriptor: Int32

    package init() { descriptor = epoll_create1(Int32(EPOLL_CLOEXEC)) }

    deinit { close(descriptor) }

    package func watch(_ watched: Int32) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.fd = watched
        epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event)
    }

    /// Returns when something is readable or `milliseconds` have passed. What is readable is found by reading: every source is non-blocking.
    package func wait(milliseconds: Int32) {
        var event = epoll_event()
        _ = epoll_wait(descriptor, &event, 1, milliseconds)
    }
}
