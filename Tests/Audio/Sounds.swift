import Foundation
import TestSupport

@testable import Audio

/// Sounds that tests make.
enum Sounds {
    static func tone(_ hertz: Double, amplitude: Double = 10_000, samples: Int = 960, from start: Int = 0) -> [Int16] {
        (0..<samples).map { Int16(amplitude * sin(2 * .pi * hertz * Double(start + $0) / 48_000)) }
    }

    static func noise(_ amplitude: Int16, samples: Int = 960, using generator: inout SeededGenerator) -> [Int16] {
        (0..<samples).map { _ in Int16.random(in: -amplitude...amplitude, using: &generator) }
    }

    /// `count` packets of a tone.
    static func packets(_ count: Int, hertz: Double = 440, samples: Int = 960, settings: OpusEncoder.Settings = .init()) throws -> [[UInt8]]
    {
        var encoder = try OpusEncoder(settings)
        return try (0..<count).map { index in
            let pcm = tone(hertz, samples: samples, from: index * samples)
            var packet = [UInt8](repeating: 0, count: 4_000)
            var room = packet.mutableSpan
            let written = try encoder.encode(pcm.span, into: &room)
            return Array(packet[..<written])
        }
    }

    static func largestStep(_ pcm: [Int16]) -> Int { zip(pcm, pcm.dropFirst()).map { abs(Int($1) - Int($0)) }.max() ?? 0 }
}
