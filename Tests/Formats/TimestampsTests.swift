import Formats
import Foundation
import Testing

struct TimestampsTests {
    @Test(arguments: [
        "2026-02-29T08:00:00Z", "2026-02-30T08:00:00Z", "2026-04-31T08:00:00Z", "2026-11-31T08:00:00Z", "2100-02-29T08:00:00Z",
        "2026-12-01T24:00:00Z", "2026-12-01T25:00:00Z", "2026-12-01T08:60:00Z", "2026-12-01T08:00:61Z", "2026-12-01T08:00:00+07:60",
        "2026-12-01T08:00:60Z", "2026-13-01T08:00:00Z", "2026-00-01T08:00:00Z", "2026-12-00T08:00:00Z", "2026-12-01T08:00:00",
        "2026-12-01T08:00:00+0700", "2026-12-01T08:00Z", "2026-12-01T8:00:00Z", "20261201T080000Z", "2026-12-01T08:00:00.Z",
        "2026-12-01T08:00:00+24:00", "2026-12-01T08:00:00ZZ", "2026-W49-2T08:00:00Z", "+026-12-01T08:00:00Z", "1969-12-31T23:59:59Z",
        "２０26-12-01T08:00:00Z", "2026-12-01T08:00:00 07:00", "0000-00-00T00:00:00Z", "2016-12-31T23:59:60+07:00",
    ])
    func `a day or an hour that does not exist is no time`(text: String) {
        #expect(Timestamps.date(text) == nil)
    }

    @Test(arguments: [
        ("2026-12-01T08:00:00+07:00", "2026-12-01T01:00:00.000Z"), ("2026-12-01t01:00:00z", "2026-12-01T01:00:00.000Z"),
        ("2028-02-29T08:00:00Z", "2028-02-29T08:00:00.000Z"), ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2017-01-01T06:59:60+07:00", "2017-01-01T00:00:00.000Z"), ("2026-11-30T20:00:00-12:00", "2026-12-01T08:00:00.000Z"),
        ("2026-12-01 08:00:00.25Z", "2026-12-01T08:00:00.250Z"), ("2000-02-29T00:00:00.1234567Z", "2000-02-29T00:00:00.123Z"),
        ("1970-01-01T00:00:00-00:00", "1970-01-01T00:00:00.000Z"), ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
        ("5732-01-12t18:38:37.3233332z", "5732-01-12T18:38:37.323Z"), ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
    ])
    func `what RFC 3339 allows is the moment that it says`(text: String, moment: String) throws {
        let date = try #require(Timestamps.date(text))
        #expect(Timestamps.text(date) == moment)
    }

    @Test func `every day of four centuries is one day after the one before`() throws {
        var expected = try #require(Timestamps.day("1970-01-01"))
        #expect(expected == 0)
        for year in 1970..<2370 {
            for month in 1...12 {
                for day in 1...31 {
                    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
                    guard let number = Timestamps.day("\(year)-\(two(month))-\(two(day))") else { continue }
                    #expect(number == expected)
                    let noon = Date(timeIntervalSince1970: Double(number) * 86_400 + 43_200.001)
                    #expect(Timestamps.text(noon) == "\(year)-\(two(month))-\(two(day))T12:00:00.001Z")
                    expected += 1
                }
            }
        }
        #expect(expected == 146_097)
    }

    @Test(arguments: [
        (-0.0004, "1970-01-01T00:00:00.000Z"), (-0.001, "1969-12-31T23:59:59.999Z"), (-62_135_596_800, "0001-01-01T00:00:00.000Z"),
        (-.infinity, "0001-01-01T00:00:00.000Z"), (.infinity, "9999-12-31T23:59:59.999Z"), (0.9996, "1970-01-01T00:00:01.000Z"),
    ])
    func `any date has a text, of the nearest moment that the form can say`(seconds: Double, text: String) {
        #expect(Timestamps.text(Date(timeIntervalSince1970: seconds)) == text)
    }
}
