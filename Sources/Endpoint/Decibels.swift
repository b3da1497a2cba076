import Foundation

enum Decibels {
    static func log10(_ value: Double) -> Double { Foundation.log10(value) }
    static func power(_ decibels: Double) -> Double { pow(10, decibels / 10) }
}
