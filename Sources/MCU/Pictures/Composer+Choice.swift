import Base
import Foundation
import RTP
import Video

/// Who is shown. Called between stages alone, as `Bench` demands.
extension Composer {
    func tellTiles(_ sharing: Bridge.Member?, now: Instant) {
        var index = 0
        if let sharing {
            sharing.screen.setTile(bench.compositor.size(ofTile: 0), fits: false, thrift: 0, now: now)
            index = 1
        }
        for member in bench.shown {
            member.video.setTile(bench.compositor.size(ofTile: index), fits: true, thrift: bench.thrift, now: now)
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

    func screenTile(_ member: Bridge.Member, now: Instant) -> TileContent {
        let picture = member.screen.picture(notOlderThan: Self.screenPatience, now: now)
        return TileContent(id: member.participant.session, name: member.screenName, picture: picture, isSpeaking: false, isMuted: false)
    }

    /// Takes over the list of those present where it has changed.
    func followMembers(of bridge: Bridge) {
        guard let members = bridge.members(newerThan: &bench.version) else { return }
        bench.members = members
        let connected = members.filter(\.participant.isConnected)
        bench.candidates = connected.filter { $0.participant.kind != .viewer }
        bench.sharers = connected.filter(\.participant.sharesScreen)
        bench.hasReceivers = connected.contains(where: \.participant.receivesVideo)
        (bench.speakerSought, bench.streamVersion) = (nil, -1)
    }

    /// Which streams somebody wants.
    func followStreams(of bridge: Bridge) {
        let version = bridge.streamVersion
        guard version != bench.streamVersion else { return }
        (bench.streamVersion, bench.wanted) = (version, .none)
        for member in bench.members where member.participant.isConnected && member.participant.receivesVideo {
            bench.wanted.formUnion(member.participant.streams)
        }
    }

    /// Where the speaker is among those who may have a tile.
    private func place(of speaker: UUID) -> Int? {
        if bench.speakerSought != speaker {
            (bench.speakerSought, bench.speakerPlace) = (speaker, bench.candidates.firstIndex { $0.participant.session == speaker })
        }
        return bench.speakerPlace
    }

    /// Who has a tile, in order, into `bench.shown`; tells each decoder whether it is needed.
    func choose(speaker: UUID?, layout: LayoutChoice, beside sharing: Bridge.Member?, now: Instant) {
        let most = (layout == .one ? 1 : (layout == .grid ? Layout.mostVisible : 1 + Layout.mostInStrip)) - (sharing == nil ? 0 : 1)
        bench.next.removeAll(keepingCapacity: true)
        var first: Int?
        if layout != .grid || bench.candidates.count > Layout.mostVisible { first = speaker.flatMap { place(of: $0) } }
        if let first, most > 0 { bench.next.append(bench.candidates[first]) }
        for index in bench.candidates.indices where index != first {
            guard bench.next.count < most else { break }
            bench.next.append(bench.candidates[index])
        }
        let members = bench.members
        let isNew =
            layout != bench.arrangement || !bench.next.elementsEqual(bench.shown) { $0.participant === $1.participant }
            || bench.besides != sharing.map { ObjectIdentifier($0.participant) }
        bench.beats += 1
        guard isNew || bench.beats % Self.lookInterval == 0 else { return }
        bench.isAwaiting = isNew && isWaiting(layout, beside: sharing, now: now)
        for member in members {
            member.video.setShown(isChosen(member), now: now)
            member.video.pauseIfUnseen(now: now)
            member.screen.setShown(member.participant === sharing?.participant, now: now)
        }
        guard !bench.isAwaiting else { return }
        swap(&bench.shown, &bench.next)
        bench.arrangement = layout
        bench.besides = sharing.map { ObjectIdentifier($0.participant) }
    }

    /// About a second.
    private static let lookInterval: UInt64 = 25

    func isChosen(_ member: Bridge.Member) -> Bool {
        bench.next.contains { $0.participant === member.participant }
            || bench.isAwaiting && bench.shown.contains { $0.participant === member.participant }
    }

    /// Whether the present view stays for a moment, since what the next one shows is on its way and nobody shown has left: a newcomer that was asked to stop, so
    /// that no name card flashes up in its place, or one that sends few lines and is to be shown large. A screen waits for nobody.
    private func isWaiting(_ layout: LayoutChoice, beside sharing: Bridge.Member?, now: Instant) -> Bool {
        guard !bench.shown.isEmpty, bench.besides == sharing.map({ ObjectIdentifier($0.participant) }),
            bench.shown.allSatisfy({ shown in
                shown.participant.isConnected && bench.members.contains { $0.participant === shown.participant }
            })
        else { return false }
        return isNewcomerComing(layout, now: now) || isSomebodyGrowing(layout, beside: sharing, now: now)
    }

    private func isNewcomerComing(_ layout: LayoutChoice, now: Instant) -> Bool {
        guard layout == bench.arrangement, bench.shown.count == bench.next.count else { return false }
        return bench.next.contains { newcomer in
            !bench.shown.contains { $0.participant === newcomer.participant } && !newcomer.participant.isHidden
                && newcomer.video.isWorthWaiting(now: now)
        }
    }

    private func isSomebodyGrowing(_ layout: LayoutChoice, beside sharing: Bridge.Member?, now: Instant) -> Bool {
        let screens = sharing == nil ? 0 : 1
        let canvas = bench.compositor.size
        let tiles = Layout.tiles(
            LayoutKind(layout), count: bench.next.count + screens, canvasWidth: canvas.width, canvasHeight: canvas.height)
        var isGrowing = false
        // All of them are asked, though one is enough to wait for.
        for (member, tile) in zip(bench.next, tiles.dropFirst(screens)) where !member.participant.isHidden {
            if member.video.isGrowing(to: tile.height, thrift: bench.thrift, now: now) { isGrowing = true }
        }
        return isGrowing
    }

    /// Nobody receives a picture: nobody needs to send one.
    func rest(_ members: [Bridge.Member], now: Instant) {
        bench.shown.removeAll(keepingCapacity: true)
        for member in members {
            member.video.setShown(false, now: now)
            member.video.pauseIfUnseen(now: now)
            member.screen.setShown(false, now: now)
        }
    }

    func tile(_ member: Bridge.Member, now: Instant) -> TileContent {
        let participant = member.participant
        let picture = participant.isHidden ? nil : member.video.picture(notOlderThan: staleAfter, now: now)
        return TileContent(
            id: participant.session, name: participant.name, picture: picture, isSpeaking: participant.isSpeaking,
            isMuted: participant.isMuted)
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
