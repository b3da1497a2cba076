import Base
import Net

extension MediaCore {
    /// TCP connections for those whose network blocks UDP.
    func streamMetrics() -> [MetricSample] {
        let (counts, sent) = (streams.counts, streams.outlet.counted)
        var samples = [
            MetricSample(
                "nhipcau_media_tcp_connections", help: "TCP connections that carry media, or try to.", kind: .gauge,
                value: Double(counts.connections)),
            MetricSample(
                "nhipcau_media_tcp_accepted_total", help: "TCP connections that were accepted.", kind: .counter,
                value: Double(counts.accepted)
            ),
            MetricSample(
                "nhipcau_media_tcp_refused_total", help: "TCP connections beyond what one address, or the server, takes.", kind: .counter,
                value: Double(counts.refused)),
            MetricSample(
                "nhipcau_media_tcp_datagrams_sent_total", help: "Datagrams that left by TCP.", kind: .counter, value: Double(sent.sent)),
            MetricSample(
                "nhipcau_media_tcp_datagrams_dropped_total", help: "Datagrams that a TCP connection did not take in time.", kind: .counter,
                value: Double(sent.dropped)),
        ]
        for ending in StreamBook.Ending.allCases {
            samples.append(
                MetricSample(
                    "nhipcau_media_tcp_ended_total", help: "TCP connections that ended.", kind: .counter, labels: ["reason": ending.label],
                    value: Double(counts.endings[ending.rawValue])))
        }
        return samples
    }
}
