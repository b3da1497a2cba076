import RTP

/// One encoded picture stream of a meeting: a view in a tier.
package struct PictureStream: Hashable, Sendable {
    package var view: ViewID
    package var tier: TierID
    package init(_ view: ViewID, _ tier: TierID) {
        self.view = view
        self.tier = tier
    }

    /// Of the programme.
    package init(_ tier: TierID) { self.init(.programme, tier) }

    fileprivate var bit: UInt64 { 1 << UInt64(view.number * TierTable.most + tier.index) }
}

/// Which picture a session takes of its meeting.
package struct ViewID: Hashable, Comparable, Sendable {
    /// Views that a meeting may have.
    package static let most = 8
    /// 0 ..< `most`.
    package let number: Int
    package init?(number: Int) {
        guard (0..<Self.most).contains(number) else { return nil }
        self.number = number
    }
    private init(checked number: Int) { self.number = number }
    /// What everybody sees who chose nothing else.
    package static let programme = ViewID(checked: 0)
    /// The chair's wall.
    package static let wall = ViewID(checked: 1)
    package static func < (one: ViewID, other: ViewID) -> Bool { one.number < other.number }
}

/// One of a thing for each view, by its number.
typealias ByView<Element> = InlineArray<8, Element>

/// A set of streams in one word, so that it goes into an atomic: 8 views of 8 tiers.
struct StreamSet: Equatable, Sendable {
    var bits: UInt64 = 0
    static let none = StreamSet()

    init(bits: UInt64 = 0) { self.bits = bits }
    init(_ stream: PictureStream) { bits = stream.bit }
    /// Both, where there is a second.
    init(_ stream: PictureStream, and other: PictureStream?) { bits = stream.bit | (other?.bit ?? 0) }

    var isEmpty: Bool { bits == 0 }
    func contains(_ stream: PictureStream) -> Bool { bits & stream.bit != 0 }
    func hasAny(of view: ViewID) -> Bool { bits >> UInt64(view.number * TierTable.most) & 0xff != 0 }
    mutating func insert(_ stream: PictureStream) { bits |= stream.bit }
    mutating func formUnion(_ other: StreamSet) { bits |= other.bits }
}
