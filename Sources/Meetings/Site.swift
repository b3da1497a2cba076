/// A place that takes part (điểm cầu): the centre, a province, a district.
package struct Site: Sendable, Hashable {
    /// Of the general statistics office, or the organisation's own.
    package var code: String
    package var name: String
    package init(code: String, name: String) { (self.code, self.name) = (code, name) }
}
