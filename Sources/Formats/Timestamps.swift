import Foundation

/// RFC 3339 times: any offset is read, UTC is written. A day or an hour that does not exist is no time; nothing is moved to another day.
package enum Timestamps {
    /// In UTC, to the nearest millisecond, of the years 1 to 9999. Foundation's formatter cuts the fraction off, and so loses a millisecond in far years, where
    /// a `Double` has few bits for it.
    package static func text(_ date: Date) -> String {
        let whole = Int((max(-62_135_596_800, min(date.timeIntervalSince1970, 253_402_300_799.999)) * 1_000).rounded())
        let ofDay = (whole % 86_400_000 + 86_400_000) % 86_400_000
        let (year, month, day) = civil((whole - ofDay) / 86_400_000)
        let seconds = ofDay / 1_000
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + padded(seconds / 3_600, 2) + ":"
            + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2) + "." + padded(ofDay % 1_000, 3) + "Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// The day of a number of days since 1 January 1970, proleptic Gregorian, from 1 March of the year 0 on: `dayNumber` the other way round.
    private static func civil(_ number: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = shifted / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// - Parameter text: `2026-02-28T08:00:00.5+07:00`; a blank may stand for the T (RFC 3339 §5.6).
    /// - Returns: nil where the text is no date-time, or one without an offset, which no server can place, or none of the years 1970 to 9999.
    package static func date(_ text: String) -> Date? {
        guard (20...40).contains(text.utf8.count) else { return nil }
        var reader = DigitReader(Array(text.utf8))
        guard let year = reader.number(4), reader.takes("-"), let month = reader.number(2, in: 1...12), reader.takes("-"),
            let day = reader.number(2, in: 1...daysIn(month: month, of: year)), reader.takes("Tt "),
            let hour = reader.number(2, in: 0...23), reader.takes(":"), let minute = reader.number(2, in: 0...59), reader.takes(":"),
            let second = reader.number(2, in: 0...60), let fraction = reader.fraction(), let offset = reader.offsetMinutes(), reader.isAtEnd
        else { return nil }
        let minutes = (dayNumber(year, month, day) * 24 + hour) * 60 + minute - offset
        // A leap second is the last of a month in UTC (RFC 3339 §5.7); it is read as the second that follows.
        guard second < 60 || endsMonth(minutes) else { return nil }
        let seconds = Double(minutes * 60 + second) + fraction
        return (0..<253_402_300_800).contains(seconds) ? Date(timeIntervalSince1970: seconds) : nil
    }

    /// A full-date, `2026-02-28`, as days since 1 January 1970; nil where there is no such day.
    package static func day(_ text: String) -> Int? {
        var reader = DigitReader(Array(text.utf8))
        guard text.utf8.count == 10, let year = reader.number(4), reader.takes("-"), let month = reader.number(2, in: 1...12),
            reader.takes("-"), let day = reader.number(2, in: 1...daysIn(month: month, of: year)), reader.isAtEnd
        else { return nil }
        return dayNumber(year, month, day)
    }

    private static func daysIn(month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days since 1 January 1970, proleptic Gregorian.
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    /// Whether this minute since 1970 is the last one of a month.
    private static func endsMonth(_ minutes: Int) -> Bool {
        guard minutes >= 0, minutes % 1_440 == 1_439 else { return false }
        let next = Date(timeIntervalSince1970: Double(minutes + 1) * 60)
        return text(next).hasSuffix("-01T00:00:00.000Z")
    }
}

/// Takes digits off ASCII bytes, as many as a form wants.
private struct DigitReader {
    private let bytes: [UInt8]
    private var at = 0
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var isAtEnd: Bool { at == bytes.count }

    mutating func number(_ count: Int, in range: ClosedRange<Int> = 0...9_999) -> Int? {
        guard at + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[at..<(at + count)] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        at += count
        return range.contains(value) ? value : nil
    }

    mutating func takes(_ letters: StaticString) -> Bool {
        guard at < bytes.count, letters.withUTF8Buffer({ $0.contains(bytes[at]) }) else { return false }
        at += 1
        return true
    }

    /// Of a second, 0 where there is none; nil where a point has no digits behind it.
    mutating func fraction() -> Double? {
        guard takes(".") else { return 0 }
        var (value, place, digits) = (0.0, 0.1, 0)
        while at < bytes.count, (48...57).contains(bytes[at]) {
            value += Double(bytes[at] - 48) * place
            (place, digits, at) = (place / 10, digits + 1, at + 1)
        }
        return digits > 0 ? value : nil
    }

    /// East of Greenwich.
    mutating func offsetMinutes() -> Int? {
        if takes("Zz") { return 0 }
        let isWest = takes("-")
        guard isWest || takes("+"), let hours = number(2, in: 0...23), takes(":"), let minutes = number(2, in: 0...59) else { return nil }
        return (hours * 60 + minutes) * (isWest ? -1 : 1)
    }
}
