/// Which row of a tier table; the best has the smallest index.
package struct TierID: Hashable, Comparable, Sendable {
    /// 0 ..< `TierTable.most`.
    package let index: Int
    package init(index: Int) { self.index = min(max(0, index), TierTable.most - 1) }
    package static func < (one: TierID, other: TierID) -> Bool { one.index < other.index }

    // Of the usual table.
    package static let high = TierID(index: 0)
    package static let medium = TierID(index: 1)
    package static let low = TierID(index: 2)
    package static let lower = TierID(index: 3)
    package static let slides = TierID(index: 4)
}

/// One stream into which every picture of a view is encoded, once for all who receive it.
package struct Tier: Equatable, Sendable {
    /// Slides come seldom and must be sharp at once; what moves comes often and may be soft for a moment.
    package enum Content: Sendable { case moving, slides }

    package let id: TierID
    /// In what control is told: several rows may have one name, where nobody but the line cares for the difference.
    package let name: String
    /// In metrics; each row has its own.
    package let label: String
    /// Pixels, even.
    package let width: Int
    package let height: Int
    package let picturesPerSecond: Double
    /// Of the pictures alone: what the encoder aims at.
    package let bitsPerSecond: Int
    /// What a line must carry for it, with sound and headers.
    package let neededBitsPerSecond: Int
    /// The least that a receiver must say that it takes (b=TIAS, RFC 3890) to be given this tier from the start.
    package let leastTIAS: Int
    package let content: Content
    /// Bytes of the largest payload: what waits behind a packet of 1 200 bytes on a line of 64 kbit/s waits for 150 ms.
    package let largestPayload: Int

    package init(
        id: TierID, name: String, label: String? = nil, width: Int, height: Int, picturesPerSecond: Double, bitsPerSecond: Int,
        neededBitsPerSecond: Int, leastTIAS: Int, content: Content = .moving, largestPayload: Int = PacketisedFrame.largestPayload
    ) {
        self.id = id
        self.name = name
        self.label = label ?? name
        self.width = width
        self.height = height
        self.picturesPerSecond = picturesPerSecond
        self.bitsPerSecond = bitsPerSecond
        self.neededBitsPerSecond = neededBitsPerSecond
        self.leastTIAS = leastTIAS
        self.content = content
        self.largestPayload = largestPayload
    }

    /// Between two pictures.
    package var interval: Duration { .nanoseconds(Int64(1_000_000_000 / picturesPerSecond)) }

    package static var high: Tier { TierTable.usual[.high] }
    package static var medium: Tier { TierTable.usual[.medium] }
    package static var low: Tier { TierTable.usual[.low] }
}

/// The tiers of a view, the best first: what a receiver's line picks a row of.
package struct TierTable: Sendable {
    /// Rows that a table may have.
    package static let most = 8
    package let tiers: [Tier]

    /// - Returns: nil where rows are none or too many, are not numbered from 0, or the needs of lines do not fall from row to row.
    package init?(_ tiers: [Tier]) {
        guard !tiers.isEmpty, tiers.count <= Self.most, tiers.enumerated().allSatisfy({ $0 == $1.id.index }),
            zip(tiers, tiers.dropFirst()).allSatisfy({ $0.neededBitsPerSecond > $1.neededBitsPerSecond && $0.leastTIAS >= $1.leastTIAS })
        else { return nil }
        self.tiers = tiers
    }

    private init(checked tiers: [Tier]) { self.tiers = tiers }

    /// What everybody is sent.
    package static let usual = TierTable(checked: [
        Tier(
            id: .high, name: "high", width: 1_280, height: 720, picturesPerSecond: 25, bitsPerSecond: 1_500_000,
            neededBitsPerSecond: 1_700_000, leastTIAS: 1_400_000),
        Tier(
            id: .medium, name: "medium", width: 640, height: 360, picturesPerSecond: 25, bitsPerSecond: 460_000,
            neededBitsPerSecond: 570_000, leastTIAS: 450_000),
        Tier(
            id: .low, name: "low", width: 320, height: 180, picturesPerSecond: 12.5, bitsPerSecond: 140_000,
            neededBitsPerSecond: 210_000, leastTIAS: 80_000),
        Tier(
            id: .lower, name: "low", label: "lower", width: 320, height: 180, picturesPerSecond: 6.25, bitsPerSecond: 62_000,
            neededBitsPerSecond: 112_000, leastTIAS: 40_000, largestPayload: 600),
        Tier(
            id: .slides, name: "slides", width: 640, height: 360, picturesPerSecond: 0.5, bitsPerSecond: 22_000,
            neededBitsPerSecond: 52_000, leastTIAS: 0, content: .slides, largestPayload: 350),
    ])

    /// For a sender of one stream that is encoded already: pictures or sound alone. Two rows of the same pictures, so that room is looked for which lets them
    /// leave unhurried, key frames included.
    /// - Parameters:
    ///   - pictures: bits a second on the line, headers included.
    ///   - sound: the same.
    /// - Returns: nil where there is nothing to send.
    package static func ready(pictures: Int, sound: Int) -> TierTable? {
        guard pictures > 0, pictures < 1 << 40, (0..<1 << 40).contains(sound) else { return nil }
        // An estimate ends at 5 Mbit/s: whoever needs more must be able to have it.
        let most = Int(LineEstimate.most)
        func row(_ index: Int, _ name: String, share: Double, atMost: Int) -> Tier {
            Tier(
                id: TierID(index: index), name: name, width: 0, height: 0, picturesPerSecond: 25, bitsPerSecond: pictures,
                neededBitsPerSecond: min(atMost, Int(Double(pictures) * share) + sound), leastTIAS: 0)
        }
        return TierTable([
            row(0, "unhurried", share: 3, atMost: most * 9 / 10), row(1, "pictures", share: 1.1, atMost: most * 8 / 10),
        ])
    }

    /// What control is told of a session whose line carries sound alone.
    package static let soundAlone = "sound"

    package var best: TierID { TierID(index: 0) }
    package var least: TierID { TierID(index: tiers.count - 1) }

    /// A row; the last one where the table has none of that number.
    package subscript(id: TierID) -> Tier { tiers[min(id.index, tiers.count - 1)] }

    /// The best tier for a receiver that said what it takes.
    /// - Parameter maxBitsPerSecond: b=TIAS; nil where nothing was said.
    package func best(within maxBitsPerSecond: Int?) -> TierID {
        guard let maxBitsPerSecond else { return best }
        return tiers.first { maxBitsPerSecond >= $0.leastTIAS }?.id ?? least
    }

    /// The next one up or down; the same at the ends.
    package func better(than id: TierID) -> TierID { TierID(index: id.index - 1) }
    package func worse(than id: TierID) -> TierID { min(TierID(index: id.index + 1), least) }
}
