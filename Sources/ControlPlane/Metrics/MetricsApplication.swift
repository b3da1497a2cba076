import Base
import MCU
import WebServer

/// `/metrics` and nothing else, for an address of its own.
package struct MetricsApplication: WebApplication {
    private let control: ControlPlane
    package init(_ control: ControlPlane) { self.control = control }

    package func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard request.path == "/metrics" else { return HTTPResponse(status: 404) }
        guard request.method == "GET" || request.method == "HEAD" else {
            return HTTPResponse(status: 405, headers: [("Allow", "GET, HEAD")])
        }
        return await control.metrics()
    }

    package func upgrade(_ request: HTTPRequest) async -> UpgradeDecision { .refuse(HTTPResponse(status: 404)) }
}

/// What the HTTP side of the server counts.
extension ServerCounters.Values {
    var samples: [MetricSample] {
        [
            ("connections", "Connections taken.", connections),
            ("connections_refused", "Connections closed as they came.", connectionsRefused),
            ("connections_displaced", "Connections without a request that made room for others.", connectionsDisplaced),
            ("requests", "Requests read.", requests), ("ambiguous_requests", "Requests whose end is not clear, refused.", ambiguous),
            ("bodies_refused", "Bodies beyond the limit.", bodiesRefused), ("websockets", "WebSockets opened.", webSockets),
            ("accepts_failed", "Connections closed for want of file descriptors.", acceptsFailed),
        ].map { MetricSample("nhipcau_http_\($0.0)_total", help: $0.1, kind: .counter, value: Double($0.2)) }
    }
}
