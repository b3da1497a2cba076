import Base
import Formats
import Foundation
import MCU
import Meetings
import Records
import Store
import WebServer

extension ControlPlane {
    /// Writes an act of power, or its refusal, to the audit log. A log that cannot be written is counted and said, and stops nobody's meeting.
    func audit(_ caller: Caller?, _ action: String, subject: String = "", detail: String = "", address: String? = nil) async {
        await audit(entry(caller, action, subject: subject, detail: detail, address: address))
    }

    /// What an act is noted as. Acts that write are given it, so that both are there or neither.
    func entry(_ caller: Caller?, _ action: String, subject: String = "", detail: String = "", address: String? = nil) -> AuditEntry {
        AuditEntry(
            id: UUIDv7.make(at: now()), at: now(), actor: caller?.user.id, actorName: caller?.user.username ?? "", action: action,
            subject: subject, detail: String(detail.prefix(400)), address: address ?? caller?.address ?? "")
    }

    func audit(_ entry: AuditEntry) async {
        guard audits.withLock({ $0.isNew(entry) }) else { return }
        do {
            try await store.append(entry)
        } catch {
            counters.withLock { $0.auditFailures += 1 }
            log("level=error part=audit action=\(entry.action) error=\"\(error)\"")
        }
    }

    /// `GET /audit`.
    func listAudit(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (limit, after) = try call.page()
        let entries: [AuditEntry]
        do { entries = try await store.audit(limit: limit, after: after) } catch { throw Problem(error) }
        await audit(try call.signedInCaller, "audit.read", subject: after?.text ?? "", detail: String(entries.count))
        return .list(entries.map(\.json), of: call.request.path, limit: limit, last: entries.last?.id.text)
    }

    /// `GET /sites`, paged by code.
    func listSites(_ call: Call) async throws(Problem) -> HTTPResponse {
        var limit = sites.entries.count
        if let text = call.query("limit") {
            guard let number = Int(text) else { throw .field(.wrongType, "limit", "integer") }
            limit = try RequestBody.check { () throws(ValidationFault) in try Validation.number(number, field: "limit", in: 1...1_000) }
        }
        var entries = sites.entries[...]
        if let code = call.query("after") {
            guard let place = entries.firstIndex(where: { $0.site.code == code }) else { throw Problem(.siteNotFound, [code]) }
            entries = entries[(place + 1)...]
        }
        let values = entries.prefix(limit).map { entry in
            JSONValue.object([("code", .string(entry.site.code)), ("name", .string(entry.site.name)), ("kind", .string(entry.kind))])
        }
        return .json(.array(values))
    }

    /// `GET /openapi.json`.
    func openAPI(_ call: Call) async throws(Problem) -> HTTPResponse {
        HTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: OpenAPI.document)
    }

    // MARK: For machines

    /// `GET /healthz`: the process answers.
    func healthy(_ call: Call) async throws(Problem) -> HTTPResponse {
        HTTPResponse(status: 200, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array("ok\n".utf8))
    }

    /// `GET /readyz`: the store can be written and media's threads keep their beat.
    func ready(_ call: Call) async throws(Problem) -> HTTPResponse {
        do { try await store.check() } catch { throw Problem(error) }
        guard media.metrics().contains(where: { $0.name == "nhipcau_media_ticks_total" }) else { throw Problem(.mediaBusy, ["1"]) }
        return HTTPResponse(status: 200, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array("ready\n".utf8))
    }

    /// `GET /metrics`, Prometheus text format 0.0.4.
    func showMetrics(_ call: Call) async throws(Problem) -> HTTPResponse { await metrics() }

    func metrics() async -> HTTPResponse {
        let counted = counters.withLock { $0 }
        var samples = media.metrics() + ProcessMemory.now().samples + (settings.web?.values.samples ?? [])
        for (status, count) in counted.responses.sorted(by: { $0.key < $1.key }) {
            samples.append(
                MetricSample(
                    "nhipcau_http_responses_total", help: "Answers by status.", kind: .counter, labels: ["status": String(status)],
                    value: Double(count)))
        }
        for (result, count) in [
            ("succeeded", counted.loginsSucceeded), ("failed", counted.loginsFailed), ("limited", counted.loginsLimited),
        ] {
            samples.append(
                MetricSample(
                    "nhipcau_logins_total", help: "Attempts to sign in.", kind: .counter, labels: ["result": result], value: Double(count)))
        }
        for (result, count) in [("answered", counted.joins), ("refused", counted.joinsRefused)] {
            samples.append(
                MetricSample(
                    "nhipcau_joins_total", help: "Offers of media.", kind: .counter, labels: ["result": result], value: Double(count)))
        }
        for (what, count) in [("join", counted.joinsLimited), ("command", counted.commandsLimited), ("channel", counted.channelsClosed)] {
            samples.append(
                MetricSample(
                    "nhipcau_limited_total", help: "Held back by a rate of one login or channel.", kind: .counter, labels: ["what": what],
                    value: Double(count)))
        }
        samples.append(
            MetricSample(
                "nhipcau_audit_failures_total", help: "Audit entries that could not be written.", kind: .counter,
                value: Double(counted.auditFailures)))
        samples.append(
            MetricSample("nhipcau_channels", help: "Open meeting channels.", kind: .gauge, value: Double(await rooms.followerCount)))
        samples.append(
            MetricSample(
                "nhipcau_channel_texts_total", help: "Texts made for meeting channels, one for each audience.", kind: .counter,
                value: Double(rooms.counts.texts.load(ordering: .relaxed))))
        samples.append(
            MetricSample(
                "nhipcau_channel_messages_total", help: "Messages handed to meeting channels.", kind: .counter,
                value: Double(rooms.counts.messages.load(ordering: .relaxed))))
        // A store that does not answer takes this figure away, and holds up no other.
        let counts = await StorePatience.$limit.withValue(.seconds(1)) { try? await store.meetingCounts() }
        if let counts {
            for phase in MeetingPhase.allCases {
                samples.append(
                    MetricSample(
                        "nhipcau_meetings", help: "Meetings by state.", kind: .gauge, labels: ["state": phase.rawValue],
                        value: Double(counts[phase] ?? 0)))
            }
        }
        return HTTPResponse(
            status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")], body: Array(Prometheus.text(samples).utf8)
        )
    }
}

/// The text format of Prometheus.
enum Prometheus {
    static func text(_ samples: [MetricSample]) -> String {
        var output = ""
        var described: Set<String> = []
        for sample in samples {
            if described.insert(sample.name).inserted {
                output += "# HELP \(sample.name) \(sample.help)\n# TYPE \(sample.name) \(sample.kind.rawValue)\n"
            }
            let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
            let value =
                sample.value == sample.value.rounded() && abs(sample.value) < 1e15 ? String(Int(sample.value)) : String(sample.value)
            output += sample.name + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)\n"
        }
        return output
    }
}
