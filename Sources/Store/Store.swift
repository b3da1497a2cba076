/// What lasts, in two shapes: documents and streams of events. An engine knows nothing of what is in them; `Records` does.
///
/// A batch happens whole or not at all, and when `commit` returns, a crash does not undo it. Every call ends within a bounded time.
package protocol Store: Sendable {
    func document(_ kind: String, _ id: String) async throws(StoreError) -> Document?
    func documents(_ query: DocumentQuery) async throws(StoreError) -> [Document]
    /// Documents of a kind; with a field, those that have this value of it.
    func count(_ kind: String, where field: (name: String, value: String)?) async throws(StoreError) -> Int
    /// How many documents of a kind have each value of a field.
    func counts(_ kind: String, by field: String) async throws(StoreError) -> [String: Int]

    func events(of stream: String, _ page: EventPage) async throws(StoreError) -> [StoredEvent]
    /// The number of the event that has this key; nil where there is none.
    func number(of key: String, in stream: String) async throws(StoreError) -> Int?
    /// The number of the last event ever appended; 0 where there is no stream.
    func version(of stream: String) async throws(StoreError) -> Int
    func snapshot(of stream: String) async throws(StoreError) -> StreamSnapshot?

    /// - Throws: `.stale`, `.missing`, `.taken` where an expectation was not met. Nothing of the batch is there then.
    func commit(_ batch: Batch) async throws(StoreError)

    /// Every row, in an order that is the same on every engine, as of one moment.
    func dump(_ take: @escaping @Sendable (StoredRow) -> Void) async throws(StoreError)
    /// What other processes write from now on. Empty on an engine that cannot tell.
    func changes() async -> AsyncStream<StoreChange>
    /// Writes a row, so that a full disk or a lost server is found before somebody's meeting finds it.
    func check() async throws(StoreError)
    func close() async
}
