/// One sample of `/metrics`. Labels are few and bounded: never a person or a meeting.
package struct MetricSample: Sendable, Equatable {
    package enum Kind: String, Sendable { case counter, gauge }
    package var name: String
    package var help: String
    package var kind: Kind
    package var labels: [String: String]
    package var value: Double
    package init(_ name: String, help: String, kind: Kind, labels: [String: String] = [:], value: Double) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.value = value
    }
}
