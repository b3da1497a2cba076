/// What the API counts for `/metrics`. Only numbers: never a person or a meeting.
struct Counters: Sendable {
    private(set) var responses: [Int: Int] = [:]
    var loginsSucceeded = 0
    var loginsFailed = 0
    var loginsLimited = 0
    var joins = 0
    var joinsRefused = 0
    var auditFailures = 0
    /// Why joins and commands were held back.
    var joinsLimited = 0
    var commandsLimited = 0
    var channelsClosed = 0

    mutating func count(status: Int) { responses[status, default: 0] += 1 }
}
