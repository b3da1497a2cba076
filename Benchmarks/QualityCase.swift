import Foundation
import MCU
import RTP
import Video

/// `make bench CASE=quality`: what a receiver sees of a meeting's canvas, in each tier, beside what libvpx makes of the same pictures at the same rate where it
/// is set up as usual. Both encode each picture right after one another; times are the thread's own, libvpx's and ours, and a receiver's decoder.
struct QualityCase {
    /// How much less SSIM than the usual setting a tier may have, in any scene.
    private static let mostLoss = 0.005
    /// SSIM of letters of 12 pixels, from which they are read without effort (docs/decisions/picture-quality.md).
    private static let readable = 0.95

    /// The usual setting stands first.
    let contenders: [Contender]

    static var usual: QualityCase {
        QualityCase(contenders: [
            .usual, .server("here"), .server("time to spare", [.high], haste: -1), .server("much to spare", [.high], haste: -2),
            setting(2, 500, 12, [.high]), setting(2, 500, 8, [.medium, .low]),
        ])
    }

    /// What can be chosen from.
    static var choices: QualityCase {
        let high = [
            (2, 500, 12), (2, 500, 9), (2, 500, 8), (2, 500, 6), (1, 500, 8), (0, 500, 12), (0, 500, 10), (0, 500, 8), (0, 250, 8),
            (0, 500, 6),
            (0, 250, 5),
        ]
        let small = [(2, 500, 8), (1, 500, 8), (0, 250, 10), (0, 500, 8), (0, 250, 8), (0, 250, 6)]
        return QualityCase(
            contenders: [.usual] + high.map { setting($0.0, $0.1, $0.2, [.high]) }
                + small.map { setting($0.0, $0.1, $0.2, [.medium, .low]) })
    }

    private static func setting(_ version: Int, _ unseenError: Int, _ speed: Int, _ tiers: [Tier]) -> Contender {
        let setting = TierEncoder.Setting(manner: VP8Encoder.Manner(version: version, unseenError: unseenError), speed: speed)
        return .server("v\(version) t\(unseenError) −\(speed)", tiers, setting: setting)
    }

    /// The tallies of a scene, tier by tier, in the order of the contenders.
    private struct Result {
        let scene: QualityScene
        var tallies: [[QualityTally]]
        /// SSIM of the scene's letters of 12 pixels in tier high, by contender.
        var text: [Double] = []

        func loss(_ tier: Tier, _ index: Int) -> Double { tallies[tier.id.index][index].ssim - tallies[tier.id.index][0].ssim }
    }

    /// - Parameter pictures: a folder for crops; nil writes none.
    static func run(_ which: QualityCase, pictures: String?) throws -> [Figure] {
        if let pictures { try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true) }
        say(
            "quality: luma of what is decoded against the canvas, mean over \(QualityScene.count - QualityScene.settling) pictures (every second in tier low); "
                + "SSIM in windows of 8×8, each fourth pixel")
        let results = try QualityScene.all().map { scene in
            let result = try which.run(scene, pictures: pictures)
            which.printOut(result)
            return result
        }
        return which.summary(results)
    }

    private func run(_ scene: QualityScene, pictures: String?) throws -> Result {
        let tallies = try TierTable.usual.tiers.map { tier in
            try contenders.filter { $0.tiers.contains(tier) }.map { try QualityTally(tier, $0) }
        }
        var result = Result(scene: scene, tallies: tallies)
        let compositor = Compositor()
        for number in 0..<QualityScene.count {
            _ = compositor.compose(try scene.tiles(number), layout: .grid, waitingText: "")
            for tier in TierTable.usual.tiers where tier != .low || number % 2 == 0 {
                let canvas = compositor.scaled(to: tier)
                let tallies = tallies[tier.id.index]
                // Who goes first finds the canvas in another cache than who goes second.
                for index in number / 2 % 2 == 0 ? Array(tallies.indices) : tallies.indices.reversed() {
                    try tallies[index].take(canvas, number, isMeasured: number >= QualityScene.settling)
                }
                if let text = scene.text, text.at == number, tier == .high {
                    result.text = tallies.map { $0.seen?.ssim(against: canvas, in: text.part) ?? 0 }
                }
                if let pictures, number == scene.cropAt & ~1 {
                    let name = "\(scene.name.replacing(" ", with: "-"))-\(tier.name).png"
                    try Self.crop(scene, tier, canvas, tallies, to: "\(pictures)/\(name)")
                }
            }
        }
        return result
    }

    /// Side by side: the canvas, here, usual, and what takes least.
    private static func crop(_ scene: QualityScene, _ tier: Tier, _ canvas: Picture, _ tallies: [QualityTally], to path: String) throws {
        // As many pixels in each tier: more of the view in the smaller ones.
        let scale = Tier.high.width / tier.width
        var part = scene.crop
        part.x = min(part.x / scale, tier.width - part.width) & ~1
        part.y = min(part.y / scale, tier.height - part.height) & ~1
        let shown = [canvas] + [1, 0, tallies.count - 1].compactMap { tallies[$0].seen }
        let strip = Picture(width: shown.count * (part.width + 4) - 4, height: part.height)
        strip.fill(Rectangle(x: 0, y: 0, width: strip.width, height: strip.height), with: YUVColour(rgb: 0xffffff))
        for (index, picture) in shown.enumerated() { strip.take(picture, part: part, x: index * (part.width + 4)) }
        guard strip.writePNG(to: path) else { throw BenchError(description: "\(path) cannot be written") }
    }

    // MARK: What is printed

    private func printOut(_ result: Result) {
        for tier in TierTable.usual.tiers {
            for (index, tally) in result.tallies[tier.id.index].enumerated() {
                let isHeld = result.loss(tier, index) >= -Self.mostLoss
                let verdict = index == 0 ? "" : String(format: "%+.4f ", result.loss(tier, index)) + (isHeld ? "held" : "not held")
                let names =
                    "\(Self.wide(result.scene.name, 11)) \(Self.wide(tier.name, 7)) \(Self.wide(tally.contender.name, 14))"
                let measured = String(
                    format: "%6.0f kbit/s  SSIM %.4f  PSNR %5.2f dB  encode %5.2f ms  decode %5.2f ms", tally.kilobits, tally.ssim,
                    tally.psnr, tally.encodeTime, tally.decodeTime)
                say("\(names) \(measured)  \(verdict)")
            }
        }
        for (index, ssim) in result.text.enumerated() {
            let name = Self.wide(result.tallies[0][index].contender.name, 14)
            let verdict = ssim >= Self.readable ? "held" : "not held"
            say(
                "\(Self.wide(result.scene.name, 11)) letters of 12 px, a second after they came: \(name) "
                    + String(format: "SSIM %.4f, readable from %.2f on: ", ssim, Self.readable) + verdict)
        }
    }

    /// For each tier the worst scene and the mean time, of each contender.
    private func summary(_ results: [Result]) -> [Figure] {
        var figures: [Figure] = []
        func mean(_ value: (Result) -> Double) -> Double { results.reduce(0) { $0 + value($1) } / Double(results.count) }
        for tier in TierTable.usual.tiers {
            for (index, contender) in contenders.filter({ $0.tiers.contains(tier) }).enumerated() {
                let name = "\(tier.name), \(contender.name)"
                let times = (
                    mean { $0.tallies[tier.id.index][index].encodeTime }, mean { $0.tallies[tier.id.index][0].encodeTime },
                    mean { $0.tallies[tier.id.index][index].decodeTime }
                )
                figures.append(Figure(name: "\(name): encode", value: times.0, unit: "ms a picture"))
                figures.append(Figure(name: "\(name): decode", value: times.2, unit: "ms a picture"))
                guard index > 0, let worst = results.min(by: { $0.loss(tier, index) < $1.loss(tier, index) }) else { continue }
                let loss = worst.loss(tier, index)
                let verdict = loss >= -Self.mostLoss ? "held" : "not held"
                figures.append(Figure(name: "\(name): encode, of the usual", value: times.0 / times.1, unit: ""))
                figures.append(
                    Figure(
                        name: "\(name): SSIM less the usual", value: loss,
                        unit: "in \(worst.scene.name), ≥ −\(Self.mostLoss): \(verdict)"
                    ))
            }
        }
        return figures
    }

    private static func wide(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
}

extension Picture {
    /// Copies a part of a picture to a column of this one; even places, inside both.
    fileprivate func take(_ picture: Picture, part: Rectangle, x: Int) {
        let (from, to) = (picture.planes, planes)
        let rows = min(part.height, height, picture.height - part.y)
        let width = min(part.width, picture.width - part.x, width - x)
        for row in 0..<rows {
            (to.y + row * Int(to.strideY) + x).update(from: from.y + (part.y + row) * Int(from.strideY) + part.x, count: width)
        }
        for row in 0..<rows / 2 {
            let (source, target) = ((part.y / 2 + row) * Int(from.strideUV) + part.x / 2, row * Int(to.strideUV) + x / 2)
            (to.u + target).update(from: from.u + source, count: width / 2)
            (to.v + target).update(from: from.v + source, count: width / 2)
        }
    }
}
