#if THREAD_SANITIZER
    import Foundation

    /// As `Synchronization.Mutex`, on a lock that ThreadSanitizer knows: it does not see the futexes of the standard library and would take what they guard
    /// for races. Only `make sanitize` builds this.
    public final class Guarded<Value>: @unchecked Sendable {
        private let lock = NSLock()
        private var value: Value

        public init(_ value: consuming sending Value) { self.value = value }

        public func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            lock.lock()
            defer { lock.unlock() }
            return try body(&value)
        }
    }
#else
    public import Synchronization

    /// A value that threads share under a lock. Never held across a codec call.
    public typealias Guarded<Value: ~Copyable> = Mutex<Value>
#endif
