import Base
import Peer
import RTP

extension MediaCore {
    /// What the lines of all sessions cost and lose. Labels are bounded: tiers, and classes of loss.
    func lineMetrics(_ counters: [WorkerCounters], _ bridges: [Bridge]) -> [MetricSample] {
        var traffic = Traffic()
        for one in counters { traffic.add(one.traffic) }
        var samples = [
            MetricSample(
                "nhipcau_media_retransmissions_total", help: "Packets of pictures that were sent again.", kind: .counter,
                value: Double(traffic.retransmissions)),
            MetricSample(
                "nhipcau_media_retransmitted_bytes_total", help: "Bytes of pictures that were sent again.", kind: .counter,
                value: Double(traffic.retransmittedBytes)),
            MetricSample(
                "nhipcau_media_padding_bytes_total", help: "Bytes sent to find out what lines carry.", kind: .counter,
                value: Double(traffic.paddingBytes)),
            MetricSample(
                "nhipcau_media_nacks_received_total", help: "Messages that ask for packets again.", kind: .counter,
                value: Double(traffic.nacksReceived)),
            MetricSample(
                "nhipcau_media_nacks_sent_total", help: "Messages that ask senders for packets again.", kind: .counter,
                value: Double(traffic.nacksSent)),
            MetricSample(
                "nhipcau_media_key_frames_requested_total", help: "Key frames that senders were asked for.", kind: .counter,
                value: Double(traffic.keyFramesRequested)),
        ]
        samples += soundOfLines(bridges)
        return samples + sessionsByLine(bridges)
    }

    private func soundOfLines(_ bridges: [Bridge]) -> [MetricSample] {
        var sum = linesOfGone
        for bridge in bridges { for member in bridge.members { sum.add(member.participant.soundStatistics) } }
        func sample(_ name: String, _ help: String, _ value: UInt64) -> MetricSample {
            MetricSample("nhipcau_media_sound_\(name)_total", help: help, kind: .counter, value: Double(value))
        }
        return [
            sample("lost", "Packets of senders' sound that never came, or too late.", sum.lost),
            sample("recovered", "Of those, such as their successor's error correction made up for.", sum.recovered),
            sample("concealed", "Ticks of 20 ms in which a sender's sound was made up.", sum.concealed),
            sample("discarded", "Packets of senders' sound that were left out: after a standstill, or of a flood.", sum.discarded),
            sample("late", "Packets of senders' sound that came after their turn.", sum.late),
        ]
    }

    private static let losses: [(label: String, below: Double)] = [("none", 0.005), ("some", 0.05), ("much", 0.15), ("heavy", .infinity)]

    private func sessionsByLine(_ bridges: [Bridge]) -> [MetricSample] {
        var tiers = [Int](repeating: 0, count: TierTable.most + 1)
        var (down, up) = ([0, 0, 0, 0], [0, 0, 0, 0])
        for bridge in bridges {
            for member in bridge.members where member.participant.isConnected {
                let participant = member.participant
                if participant.receivesVideo {
                    let shown = participant.hasPicture ? participant.shownTier?.index : TierTable.most
                    if let shown { tiers[shown] += 1 }
                }
                let network = participant.network
                down[Self.losses.firstIndex { network.lossDown < $0.below } ?? 0] += 1
                up[Self.losses.firstIndex { network.lossUp < $0.below } ?? 0] += 1
            }
        }
        var samples: [MetricSample] = []
        let labels = TierTable.usual.tiers.map { ($0.label, $0.id.index) } + [(TierTable.soundAlone, TierTable.most)]
        for (label, index) in labels {
            samples.append(
                MetricSample(
                    "nhipcau_media_sessions_by_tier", help: "Sessions that are shown a picture, by the tier that their line carries.",
                    kind: .gauge, labels: ["tier": label], value: Double(tiers[index])))
        }
        for (direction, counts) in [("down", down), ("up", up)] {
            for (index, loss) in Self.losses.enumerated() {
                samples.append(
                    MetricSample(
                        "nhipcau_media_sessions_by_loss", help: "Sessions by what their line loses: below 0.5, 5 and 15 percent, and more.",
                        kind: .gauge, labels: ["direction": direction, "loss": loss.label], value: Double(counts[index])))
            }
        }
        return samples
    }
}
