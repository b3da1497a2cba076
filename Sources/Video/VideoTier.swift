/// One of the three streams into which every composed picture is encoded, once for all who receive it.
package enum VideoTier: Int, CaseIterable, Sendable {
    case high, medium, low

    package var width: Int {
        switch self {
        case .high: 1_280
        case .medium: 640
        case .low: 320
        }
    }

    package var height: Int { width * 9 / 16 }

    package var framesPerSecond: Double { self == .low ? 12.5 : 25 }

    package var bitsPerSecond: Int {
        switch self {
        case .high: 1_500_000
        case .medium: 500_000
        case .low: 150_000
        }
    }
}
