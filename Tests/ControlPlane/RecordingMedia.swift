import Base
import Foundation
import MCU

/// Media that answers every offer and only writes down what it was asked.
final class RecordingMedia: MediaPlane {
    enum Call: Equatable {
        case join(UUID), leave(UUID), end(UUID), muted(UUID, Bool), camera(UUID, Bool), layout(LayoutChoice)
    }
    private let asked = Guarded<[Call]>([])

    var calls: [Call] { asked.withLock { $0 } }
    private func note(_ call: Call) { asked.withLock { $0.append(call) } }

    func join(_ request: JoinRequest) async throws(JoinRefusal) -> JoinAnswer {
        note(.join(request.session))
        return JoinAnswer(kind: .participant, answer: "v=0", etag: "1")
    }
    func renegotiate(session: UUID, offer: String, maySend: Bool, ifMatch: [String]?) async throws(JoinRefusal) -> JoinAnswer {
        JoinAnswer(kind: .viewer, answer: "v=0", etag: "1")
    }
    func trickle(session: UUID, fragment: String, ifMatch: [String]?) async throws(JoinRefusal) -> String? { nil }
    func leave(session: UUID) { note(.leave(session)) }
    func end(meeting: UUID) { note(.end(meeting)) }
    func setMuted(session: UUID, _ muted: Bool) { note(.muted(session, muted)) }
    func setCamera(session: UUID, _ shown: Bool) { note(.camera(session, shown)) }
    func setView(_ view: ViewID, of meeting: UUID, to settings: ViewSettings) { note(.layout(settings.layout)) }
    func watch(session: UUID, _ view: ViewID) {}
    func listen(session: UUID, to mix: MixID) {}
    func setMix(session: UUID, speaksInto mix: MixID) {}
    func setFloor(meeting: UUID, _ session: UUID?) {}
    func snapshot(meeting: UUID) -> [SessionSnapshot] { [] }
    func events() -> AsyncStream<MediaEvent> { AsyncStream { $0.finish() } }
    func metrics() -> [MetricSample] { [] }
    func stop() async {}
}
