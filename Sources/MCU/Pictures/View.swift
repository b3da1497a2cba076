import Base
import Foundation
import RTP
import Video

/// One picture of a meeting as somebody arranged it: who is shown where, its canvas, and an encoder for each tier that somebody takes.
/// Part of `Composer.Bench`, and touched as that is.
final class View {
    let id: ViewID
    let compositor = Compositor()
    var encoders: [TierEncoder?] = Array(repeating: nil, count: TierTable.most)
    var settings = ViewSettings() { didSet { screenCaptions = settings.captions.mapValues { screenWord + $0 } } }
    /// What stands under shared screens whose sharers have captions: made here, not for each picture.
    private(set) var screenCaptions: [UUID: String] = [:]
    private let screenWord: String
    var tiles: [TileContent] = []
    /// Somebody receives it or waits for it.
    var isTaken = false
    /// Who has a tile, in order, and who should have.
    var shown: [Bridge.Member] = []
    var next: [Bridge.Member] = []
    /// `next` has other tiles than `shown`, or others in their places.
    var isNew = false
    /// `shown` stays for a moment until what `next` needs is there.
    var isAwaiting = false
    /// Of `shown`, and who shares the screen that it leaves room for.
    var arrangement = LayoutChoice.grid
    var sharer: ObjectIdentifier?
    /// Of `next`.
    var nextArrangement = LayoutChoice.grid
    /// Beats since anything on the canvas was new.
    var stillBeats = 0

    /// Those who may have a tile, in the order that the settings say, and how many of them are pinned; made anew when either changes.
    var candidates: [Bridge.Member] = []
    var pinned = 0
    /// Where `speakerSought` is among them.
    var speakerPlace: Int?
    var speakerSought: UUID?

    /// - Parameter screenWord: before the caption of who shares a screen.
    init(_ id: ViewID, screenWord: String) {
        self.id = id
        self.screenWord = screenWord
    }

    /// Takes over who may have a tile.
    func follow(_ members: [Bridge.Member]) {
        speakerSought = nil
        guard !settings.pinned.isEmpty || !settings.order.isEmpty else {
            candidates = members
            pinned = 0
            return
        }
        var ranks: [UUID: Int] = [:]
        for session in settings.pinned + settings.order where ranks[session] == nil { ranks[session] = ranks.count }
        // Those who are named nowhere come behind, as they came.
        candidates = members.enumerated()
            .sorted { one, other in
                let (left, right) = (ranks[one.element.participant.session] ?? .max, ranks[other.element.participant.session] ?? .max)
                return left == right ? one.offset < other.offset : left < right
            }
            .map(\.element)
        let pins = Set(settings.pinned)
        pinned = candidates.count { pins.contains($0.participant.session) }
    }

    /// Where the speaker is among those who may have a tile.
    func place(of speaker: UUID) -> Int? {
        if speakerSought != speaker {
            speakerPlace = candidates.firstIndex { $0.participant.session == speaker }
            speakerSought = speaker
        }
        return speakerPlace
    }

    /// Nobody takes it: nobody is shown.
    func rest() {
        shown.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        tiles.removeAll(keepingCapacity: true)
        isAwaiting = false
        isNew = false
    }
}
