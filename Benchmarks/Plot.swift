import Foundation

/// CPU against the number in the meeting, as SVG.
struct Plot {
    struct Line {
        var name: String
        var colour: String
        /// Sessions and cores in percent.
        var points: [(Double, Double)]
    }

    var title: String
    var lines: [Line]
    private let width = 760.0
    private let height = 400.0
    private let left = 60.0
    private let bottom = 50.0
    private let top = 40.0

    init(title: String, lines: [Line]) { (self.title, self.lines) = (title, lines) }

    var svg: String {
        let all = lines.flatMap(\.points)
        let mostX = Self.round(all.map(\.0).max() ?? 1)
        let mostY = Self.round(all.map(\.1).max() ?? 1)
        func x(_ value: Double) -> Double { left + value / mostX * (width - left - 180) }
        func y(_ value: Double) -> Double { height - bottom - value / mostY * (height - bottom - top) }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" font-family=\"Noto Sans, sans-serif\" font-size=\"13\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>", "<text x=\"\(left)\" y=\"22\" font-size=\"16\">\(title)</text>",
        ]
        for step in 0...5 {
            let (acrossValue, upValue) = (mostX * Double(step) / 5, mostY * Double(step) / 5)
            parts.append("<line x1=\"\(left)\" x2=\"\(x(mostX))\" y1=\"\(y(upValue))\" y2=\"\(y(upValue))\" stroke=\"#ddd\"/>")
            parts.append("<text x=\"\(left - 8)\" y=\"\(y(upValue) + 4)\" text-anchor=\"end\">\(Int(upValue)) %</text>")
            parts.append("<text x=\"\(x(acrossValue))\" y=\"\(height - bottom + 20)\" text-anchor=\"middle\">\(Int(acrossValue))</text>")
        }
        parts.append("<text x=\"\(x(mostX / 2))\" y=\"\(height - 10)\" text-anchor=\"middle\">sessions in the meeting</text>")
        for (index, line) in lines.enumerated() {
            let path = line.points.map { "\(x($0.0)),\(y($0.1))" }.joined(separator: " ")
            parts.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(line.colour)\" stroke-width=\"2\"/>")
            for point in line.points {
                parts.append("<circle cx=\"\(x(point.0))\" cy=\"\(y(point.1))\" r=\"3.5\" fill=\"\(line.colour)\"/>")
            }
            parts.append(
                "<text x=\"\(x(mostX) + 12)\" y=\"\(top + 20 * Double(index + 1))\" fill=\"\(line.colour)\">\(line.name)</text>")
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    /// Up to the next 1, 2 or 5 times a power of ten.
    private static func round(_ value: Double) -> Double {
        let power = pow(10, floor(log10(max(value, 1))))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? value
    }
}
