/// One event of a stream. Once written it is never changed.
package struct StoredEvent: Sendable, Equatable {
    /// Its place in the stream, from 1, without holes.
    package var number: Int
    /// By which it is found again; unique in the stream where it is not empty.
    package var key: String
    package var body: String

    package init(number: Int, key: String, body: String) {
        self.number = number
        self.key = key
        self.body = body
    }
}

/// An event that is to be appended; its number comes with its place.
package struct NewEvent: Sendable, Equatable {
    package var key: String
    package var body: String

    package init(key: String = "", body: String) {
        self.key = key
        self.body = body
    }
}

/// What a stream's events up to `number` come to, so that a long one need not be read from its beginning.
package struct StreamSnapshot: Sendable, Equatable {
    package var number: Int
    package var body: String

    package init(number: Int, body: String) {
        self.number = number
        self.body = body
    }
}

/// A piece of a stream.
package enum EventPage: Sendable, Equatable {
    /// Upwards, those whose number is above this one.
    case after(Int, limit: Int)
    /// Downwards, those whose number is below this one; nil begins with the newest.
    case before(Int?, limit: Int)
}
