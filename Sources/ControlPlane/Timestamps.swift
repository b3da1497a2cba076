import Foundation

/// RFC 3339 times: any offset is read, UTC is written.
enum Timestamps {
    static func text(_ date: Date) -> String {
        let whole = (date.timeIntervalSince1970 * 1_000).rounded() / 1_000
        return Date(timeIntervalSince1970: whole).formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
    }

    /// - Returns: nil where the text is no RFC 3339 date-time, or one without an offset, which no server can place.
    static func date(_ text: String) -> Date? {
        guard text.utf8.count <= 40, text.utf8.count >= 20 else { return nil }
        let upper = text.uppercased().replacingOccurrences(of: " ", with: "T")
        for fractional in [false, true] {
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: fractional)
            if let date = try? style.parse(upper) { return inRange(date) }
        }
        return nil
    }

    /// Years 1970 to 9999: what the store can keep and others can read.
    private static func inRange(_ date: Date) -> Date? {
        (0..<253_402_300_800).contains(date.timeIntervalSince1970) ? date : nil
    }
}
