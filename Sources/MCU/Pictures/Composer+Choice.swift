import Base
import Foundation
import RTP
import Video

/// Who is shown. Called between stages alone, as `Bench` demands.
extension Composer {
    func tellTiles(of view: View, now: Instant) {
        var index = 0
        if let sharing = bench.sharing {
            sharing.screen.setTile(view.compositor.size(ofTile: 0), of: view.id, fits: false, thrift: 0, now: now)
            index = 1
        }
        for member in view.shown {
            member.video.setTile(view.compositor.size(ofTile: index), of: view.id, fits: true, thrift: bench.thrift, now: now)
            index += 1
        }
    }

    /// Whose screen is shown: the first that sends, otherwise the one that was shown and stands still.
    func sharing(now: Instant) -> Bridge.Member? {
        let arriving = bench.sharers.first { $0.screen.isArriving(now: now, within: Self.screenPatience) }
        let sharing =
            arriving
            ?? bench.sharers.first { ObjectIdentifier($0.participant) == bench.lastSharing && $0.screen.isStill(now: now) }
        bench.lastSharing = sharing.map { ObjectIdentifier($0.participant) }
        return sharing
    }

    func screenTile(_ member: Bridge.Member, of view: View, now: Instant) -> TileContent {
        let picture = member.screen.picture(of: view.id, notOlderThan: Self.screenPatience, now: now)
        let name = view.screenCaptions.isEmpty ? member.screenName : view.screenCaptions[member.participant.session] ?? member.screenName
        return TileContent(id: member.participant.session, name: name, picture: picture, isSpeaking: false, isMuted: false)
    }

    func tile(_ member: Bridge.Member, of view: View, now: Instant) -> TileContent {
        let participant = member.participant
        let picture = participant.isHidden ? nil : member.video.picture(of: view.id, notOlderThan: staleAfter, now: now)
        let name = view.settings.captions.isEmpty ? participant.name : view.settings.captions[participant.session] ?? participant.name
        let isLost = picture == nil && (participant.isInterrupted(now: now) || !participant.isHidden && member.video.isLost)
        return TileContent(
            id: participant.session, name: name, picture: picture, isSpeaking: participant.isSpeaking, isMuted: participant.isMuted,
            note: isLost ? words.lost : "")
    }

    /// Takes over the list of those present where it has changed.
    func followMembers(of bridge: Bridge) {
        guard let members = bridge.members(newerThan: &bench.version) else { return }
        bench.members = members
        let connected = members.filter(\.participant.isConnected)
        bench.candidates = connected.filter { $0.participant.kind != .viewer }
        bench.sharers = connected.filter(\.participant.sharesScreen)
        bench.hasReceivers = connected.contains(where: \.participant.receivesVideo)
        for view in bench.views { view.follow(bench.candidates) }
        bench.streamVersion = -1
    }

    /// Which streams somebody wants, and so which views.
    func followStreams(of bridge: Bridge) {
        let version = bridge.streamVersion
        guard version != bench.streamVersion else { return }
        (bench.streamVersion, bench.wanted) = (version, .none)
        for member in bench.members where member.participant.isConnected && member.participant.receivesVideo {
            bench.wanted.formUnion(member.participant.streams)
        }
        for number in 0..<ViewID.most {
            guard let id = ViewID(number: number) else { continue }
            let isTaken = bench.wanted.hasAny(of: id)
            if let view = bench.views.first(where: { $0.id == id }) {
                if view.isTaken, !isTaken { view.rest() }
                view.isTaken = isTaken
            } else if isTaken {
                let view = View(id, screenWord: words.screen)
                view.isTaken = true
                view.settings = settings(of: id)
                view.follow(bench.candidates)
                bench.views.append(view)
            }
        }
        // The programme stays; of the others those that somebody takes.
        bench.views.removeAll { !$0.isTaken && $0.id != .programme }
        bench.hasViewsChanged = true
    }

    /// Who has a tile in which view; tells each decoder for which it is needed.
    func chooseViews(speaker: UUID?, now: Instant) {
        bench.beats += 1
        var looks = bench.beats % Self.lookInterval == 0 || bench.hasViewsChanged
        bench.hasViewsChanged = false
        for view in bench.views where view.isTaken {
            choose(view, speaker: speaker, now: now)
            looks = looks || view.isNew
        }
        guard looks else { return }
        for member in bench.members {
            member.video.setShown(views(showing: member), now: now)
            member.video.pauseIfUnseen(now: now)
            member.screen.setShown(member.participant === bench.sharing?.participant ? bench.taken : .none, now: now)
        }
        for view in bench.views where view.isTaken && !view.isAwaiting {
            swap(&view.shown, &view.next)
            view.arrangement = view.nextArrangement
            view.sharer = bench.sharing.map { ObjectIdentifier($0.participant) }
        }
    }

    /// Who should have a tile, in order, into `view.next`.
    private func choose(_ view: View, speaker: UUID?, now: Instant) {
        let sharing = bench.sharing
        // A shared screen is what the meeting looks at: large, with the others beside it unless one picture alone is wanted.
        let layout = sharing != nil && view.settings.layout == .grid ? .speaker : view.settings.layout
        let most = (layout == .one ? 1 : (layout == .grid ? Layout.mostVisible : 1 + Layout.mostInStrip)) - (sharing == nil ? 0 : 1)
        view.next.removeAll(keepingCapacity: true)
        var first: Int?
        if layout != .grid || view.candidates.count > Layout.mostVisible { first = speaker.flatMap { view.place(of: $0) } }
        // Who is pinned keeps its place whoever speaks.
        if let speaking = first, speaking < view.pinned { first = nil }
        func append(_ index: Int) { if view.next.count < most { view.next.append(view.candidates[index]) } }
        for index in 0..<view.pinned { append(index) }
        if let first { append(first) }
        for index in view.pinned..<view.candidates.count where index != first {
            guard view.next.count < most else { break }
            append(index)
        }
        view.nextArrangement = layout
        view.isNew =
            layout != view.arrangement || !view.next.elementsEqual(view.shown) { $0.participant === $1.participant }
            || view.sharer != sharing.map { ObjectIdentifier($0.participant) }
        view.isAwaiting = view.isNew && isWaiting(view, now: now)
    }

    /// About a second.
    private static let lookInterval: UInt64 = 25

    private func views(showing member: Bridge.Member) -> ViewSet {
        var views = ViewSet.none
        for view in bench.views where view.isTaken {
            let isShown =
                view.next.contains { $0.participant === member.participant }
                || view.isAwaiting && view.shown.contains { $0.participant === member.participant }
            if isShown { views.insert(view.id) }
        }
        return views
    }

    /// Whether the present view stays for a moment, since what the next one shows is on its way and nobody shown has left: a newcomer that was asked to stop, so
    /// that no name card flashes up in its place, or one that sends few lines and is to be shown large. A screen waits for nobody.
    private func isWaiting(_ view: View, now: Instant) -> Bool {
        guard !view.shown.isEmpty, view.sharer == bench.sharing.map({ ObjectIdentifier($0.participant) }),
            view.shown.allSatisfy({ shown in
                shown.participant.isConnected && bench.members.contains { $0.participant === shown.participant }
            })
        else { return false }
        return isNewcomerComing(to: view, now: now) || isSomebodyGrowing(in: view, now: now)
    }

    private func isNewcomerComing(to view: View, now: Instant) -> Bool {
        guard view.nextArrangement == view.arrangement, view.shown.count == view.next.count else { return false }
        return view.next.contains { newcomer in
            !view.shown.contains { $0.participant === newcomer.participant } && !newcomer.participant.isHidden
                && newcomer.video.isWorthWaiting(now: now)
        }
    }

    private func isSomebodyGrowing(in view: View, now: Instant) -> Bool {
        let screens = bench.sharing == nil ? 0 : 1
        let canvas = view.compositor.size
        let tiles = Layout.tiles(
            LayoutKind(view.nextArrangement), count: view.next.count + screens, canvasWidth: canvas.width, canvasHeight: canvas.height)
        var isGrowing = false
        // All of them are asked, though one is enough to wait for.
        for (member, tile) in zip(view.next, tiles.dropFirst(screens)) where !member.participant.isHidden {
            if member.video.isGrowing(to: tile.height, thrift: bench.thrift, now: now) { isGrowing = true }
        }
        return isGrowing
    }

    /// Nobody receives a picture: nobody needs to send one.
    func rest(_ members: [Bridge.Member], now: Instant) {
        for view in bench.views { view.rest() }
        for member in members {
            member.video.setShown(.none, now: now)
            member.video.pauseIfUnseen(now: now)
            member.screen.setShown(.none, now: now)
        }
    }
}

extension LayoutKind {
    init(_ choice: LayoutChoice) {
        switch choice {
        case .one: self = .one
        case .grid: self = .grid
        case .speaker: self = .speaker
        }
    }
}
