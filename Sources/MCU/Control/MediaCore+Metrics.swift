import Base
import Foundation
import Peer
import RTP

extension MediaCore {
    /// Prometheus samples of all media threads, summed; no label names a person or a meeting.
    func metrics() -> [MetricSample] {
        let counters = workers.map(\.counters)
        func sum(_ value: (WorkerCounters) -> UInt64) -> Double { Double(counters.reduce(0) { $0 + value($1) }) }
        let bridges = allBridges
        var samples = [
            MetricSample(
                "nhipcau_media_sessions", help: "Sessions with a peer.", kind: .gauge, value: Double(counters.reduce(0) { $0 + $1.peers })),
            MetricSample(
                "nhipcau_media_sessions_waiting", help: "Answered sessions that nobody reached yet, and those with a peer.", kind: .gauge,
                value: Double(directory.count)),
            MetricSample("nhipcau_media_bridges", help: "Meetings with media.", kind: .gauge, value: Double(bridges.count)),
            MetricSample(
                "nhipcau_media_datagrams_received_total", help: "Datagrams received.", kind: .counter, value: sum(\.datagramsReceived)),
            MetricSample("nhipcau_media_datagrams_sent_total", help: "Datagrams sent.", kind: .counter, value: sum(\.datagramsSent)),
            MetricSample(
                "nhipcau_media_messages_sent_total",
                help: "Walks through the network stack: the packets of a picture, and a sound behind them, share one.", kind: .counter,
                value: sum(\.messagesSent)),
            MetricSample(
                "nhipcau_media_datagrams_not_sent_total", help: "Datagrams that the kernel did not take.", kind: .counter,
                value: sum(\.datagramsNotSent)),
            MetricSample(
                "nhipcau_media_datagrams_forwarded_total", help: "Datagrams that reached the wrong worker and were passed on.",
                kind: .counter, value: sum(\.forwarded)),
            MetricSample(
                "nhipcau_media_video_frames_sent_total", help: "Composed pictures handed to receivers.", kind: .counter,
                value: sum(\.framesSent)),
            MetricSample(
                "nhipcau_media_sound_sent_total", help: "Packets of sound sent.", kind: .counter, value: sum(\.soundSent)),
            MetricSample(
                "nhipcau_media_sound_received_total", help: "Packets of sound received.", kind: .counter, value: sum(\.soundReceived)),
            MetricSample(
                "nhipcau_media_commands_refused_total", help: "Commands lost to a full mailbox.", kind: .counter,
                value: sum(\.refusedCommands)),
            MetricSample(
                "nhipcau_media_events_lost_total", help: "Media events that control did not read in time.", kind: .counter,
                value: Double(events.lostEvents)),
            MetricSample(
                "nhipcau_media_handshakes_postponed_total", help: "Datagrams of handshakes that waited for a later turn.", kind: .counter,
                value: sum(\.handshakesPostponed)),
            MetricSample(
                "nhipcau_media_dropped_total", help: "Datagrams dropped without an answer.", kind: .counter, labels: ["reason": "stranger"],
                value: sum(\.strangers)),
        ]
        var drops = DropCounters()
        for one in counters { drops.add(one.drops) }
        for reason in DropCounters.Reason.allCases {
            samples.append(
                MetricSample(
                    "nhipcau_media_dropped_total", help: "Datagrams dropped without an answer.", kind: .counter,
                    labels: ["reason": reason.label], value: Double(drops[reason])))
        }
        return samples + streamMetrics() + lineMetrics(counters, bridges) + beatMetrics() + pictureMetrics(bridges)
    }

    private func beatMetrics() -> [MetricSample] {
        let beats = mixers.map(\.counters)
        let sound = soundCounters
        return [
            MetricSample(
                "nhipcau_media_sound_decoded_total", help: "Opus packets of senders decoded.", kind: .counter, value: Double(sound.decoded)),
            MetricSample(
                "nhipcau_media_sound_encoded_total", help: "Opus packets of mixes encoded.", kind: .counter, value: Double(sound.encoded)),
            MetricSample(
                "nhipcau_media_levels_doubted_total", help: "Senders that were found to say other levels of sound than they send.",
                kind: .counter, value: Double(sound.doubted)),
            MetricSample(
                "nhipcau_media_ticks_total", help: "Sound ticks of 20 ms.", kind: .counter, value: Double(beats.reduce(0) { $0 + $1.ticks })
            ),
            MetricSample(
                "nhipcau_media_ticks_late_total", help: "Ticks begun more than 10 ms late.", kind: .counter,
                value: Double(beats.reduce(0) { $0 + $1.late })),
            MetricSample(
                "nhipcau_media_ticks_skipped_total", help: "Ticks left out after a standstill.", kind: .counter,
                value: Double(beats.reduce(0) { $0 + $1.skipped })),
            MetricSample(
                "nhipcau_media_tick_delay_longest_seconds", help: "Longest delay of a tick.", kind: .gauge,
                value: (beats.map(\.longestDelayMilliseconds).max() ?? 0) / 1_000),
        ]
    }

    private func pictureMetrics(_ bridges: [Bridge]) -> [MetricSample] {
        var total = Composer.Counters()
        for bridge in bridges { total.add(bridge.pictureCounters) }
        total.add(picturesOfGone)
        let tiers = TierTable.usual.tiers.map { tier in
            MetricSample(
                "nhipcau_media_pictures_encoded_\(tier.label)_total", help: "Composed pictures encoded in tier \(tier.label).",
                kind: .counter,
                value: Double(total.encoded[tier.id.index]))
        }
        let rates = bridges.map(\.composer.picturesPerSecond)
        return tiers + [
            MetricSample(
                "nhipcau_media_picture_rate_lowest",
                help: "Pictures a second of the meeting that has the fewest: below 25 the machine is too slow.",
                kind: .gauge, value: rates.min() ?? FramePace().picturesPerSecond),
            MetricSample(
                "nhipcau_media_bridges_slowed", help: "Meetings with fewer than 25 pictures a second, since the machine is too slow.",
                kind: .gauge, value: Double(rates.count { $0 < FramePace().picturesPerSecond })),
            MetricSample(
                "nhipcau_media_bridges_thrifty",
                help: "Meetings that ask senders for smaller pictures than their tiles, since the machine is too slow.", kind: .gauge,
                value: Double(bridges.count { $0.composer.thrift > 0 })),
            MetricSample(
                "nhipcau_media_pictures_composed_total", help: "Pictures composed.", kind: .counter, value: Double(total.composed)),
            MetricSample(
                "nhipcau_media_pictures_skipped_total", help: "Picture beats left out since the one before was not done.", kind: .counter,
                value: Double(total.skipped)),
            MetricSample(
                "nhipcau_media_picture_interval_longest_seconds", help: "Longest time between two composed pictures.", kind: .gauge,
                value: total.longestIntervalMilliseconds / 1_000),
            MetricSample("nhipcau_media_key_frames_total", help: "Key frames encoded.", kind: .counter, value: Double(total.keyFrames)),
            MetricSample(
                "nhipcau_media_frames_decoded_total", help: "Senders' pictures decoded.", kind: .counter, value: Double(total.decoded)),
            MetricSample(
                "nhipcau_media_frames_refused_total", help: "Senders' pictures that the decoder refused.", kind: .counter,
                value: Double(total.refused)),
            MetricSample(
                "nhipcau_media_frames_dropped_total", help: "Senders' pictures dropped since decoding was late.", kind: .counter,
                value: Double(total.dropped)),
            MetricSample(
                "nhipcau_media_frames_scaled_total", help: "Pictures made of senders' frames, one for each size of tile.", kind: .counter,
                value: Double(total.scaled)),
            MetricSample(
                "nhipcau_media_frames_excess_total", help: "Senders' pictures dropped since they sent more than they may.", kind: .counter,
                value: Double(total.excess)),
        ]
    }
}

extension SessionSnapshot {
    init(_ member: Bridge.Member, now: Instant) {
        let participant = member.participant
        self.init(session: participant.session, kind: participant.kind)
        let network = participant.network
        isConnected = participant.isConnected
        isInterrupted = participant.isInterrupted(now: now)
        isSendingAudio = participant.isSendingAudio(now: now)
        isSendingVideo = member.video.isArriving(now: now, within: .seconds(2)) || member.video.isStill(now: now)
        wish = member.video.wish
        (width, height) = member.video.size
        sharesScreen =
            participant.sharesScreen && (member.screen.isArriving(now: now, within: .seconds(5)) || member.screen.isStill(now: now))
        audioLevel = participant.measuredLevel
        isSpeaking = participant.isSpeaking
        tier = participant.hasPicture ? participant.shownTier.map { TierTable.usual[$0].name } : TierTable.soundAlone
        (lossUp, lossDown) = (network.lossUp, network.lossDown)
        (jitterMilliseconds, roundTripMilliseconds) = (network.jitterMilliseconds, network.roundTripMilliseconds)
        jitterDownMilliseconds = network.jitterDownMilliseconds
        lineBitsPerSecond = network.lineBitsPerSecond
        (packetsReceived, packetsSent, framesSent) = (network.packetsReceived, network.packetsSent, network.videoFramesSent)
    }
}
