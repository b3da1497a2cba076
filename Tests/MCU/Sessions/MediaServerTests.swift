import Foundation
import Net
import RTP
import Testing

@testable import MCU

/// The control side of the real server: it binds a loopback port of the system's choice, but nothing is sent. So it is none of `make unit`'s.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["NHIPCAU_SOCKETS"] != nil, "binds sockets: make sockets"))
struct MediaServerTests {
    static let offer = """
        v=0\r
        o=- 1 2 IN IP4 127.0.0.1\r
        s=-\r
        t=0 0\r
        a=group:BUNDLE 0\r
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r
        c=IN IP4 0.0.0.0\r
        a=ice-ufrag:Enxy\r
        a=ice-pwd:13wIrjubsg2mfmQAmj08f2oT\r
        a=fingerprint:sha-256 BE:AA:4D:06:9E:B0:46:C8:20:05:23:66:46:E5:55:A8:BC:99:CB:5C:58:5F:0D:9B:81:20:16:E1:C4:DC:5B:F6\r
        a=setup:actpass\r
        a=mid:0\r
        a=sendrecv\r
        a=rtcp-mux\r
        a=rtpmap:111 opus/48000/2\r

        """

    private static let offeredFragment = "Enxy"

    /// The entity tag that a fragment's user fragment is.
    private static func fragment(in text: String) -> String? {
        text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("a=ice-ufrag:") }.map { String($0.dropFirst(12)) }
    }

    private func request(_ meeting: UUID, offer: String = offer, capacity: Int = 10) -> JoinRequest {
        JoinRequest(session: UUID(), meeting: meeting, name: "Đắk Lắk", offer: offer, capacity: capacity)
    }

    @Test func `an offer is answered by an ICE-lite, passive description with the server's port`() async throws {
        let server = try MediaServer(configuration: MediaServerConfiguration())
        let answer = try await server.join(request(UUID()))
        #expect(answer.kind == .participant)
        for line in ["a=ice-lite", "a=setup:passive", "a=rtcp-mux", "\(server.port) typ host", "opus/48000/2"] {
            #expect(answer.answer.contains(line))
        }
        #expect(!answer.etag.isEmpty)
        await server.stop()
    }

    @Test func `a refused offer leaves nothing behind`() async throws {
        let server = try MediaServer(configuration: MediaServerConfiguration())
        let meeting = UUID()
        await #expect(throws: JoinRefusal.self) { try await server.join(request(meeting, offer: "hello")) }
        let naked = Self.offer.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("a=fingerprint") }.joined(
            separator: "\r\n")
        await #expect(throws: JoinRefusal.self) { try await server.join(request(meeting, offer: naked)) }
        let other = Self.offer.replacingOccurrences(of: "opus/48000/2", with: "PCMU/8000")
        await #expect(throws: JoinRefusal.self) { try await server.join(request(meeting, offer: other)) }
        #expect(server.snapshot(meeting: meeting).isEmpty)
        #expect(server.metrics().first { $0.name == "nhipcau_media_sessions_waiting" }?.value == 0)
        await server.stop()
    }

    @Test func `a full meeting refuses, and a seat that is left is free again`() async throws {
        let server = try MediaServer(configuration: MediaServerConfiguration())
        let meeting = UUID()
        let first = request(meeting, capacity: 1)
        _ = try await server.join(first)
        await #expect(throws: JoinRefusal.full(capacity: 1)) { try await server.join(request(meeting, capacity: 1)) }
        server.leave(session: first.session)
        _ = try await server.join(request(meeting, capacity: 1))
        #expect(server.snapshot(meeting: meeting).count == 1)
        await server.stop()
    }

    @Test func `ending a meeting ends its sessions and says why`() async throws {
        let server = try MediaServer(configuration: MediaServerConfiguration())
        let (meeting, other) = (UUID(), UUID())
        let events = server.events()
        let one = request(meeting)
        _ = try await server.join(one)
        _ = try await server.join(request(other))
        server.end(meeting: meeting)
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .left(meeting: meeting, session: one.session, reason: .meetingEnded))
        #expect(server.snapshot(meeting: meeting).isEmpty && server.snapshot(meeting: other).count == 1)
        await server.stop()
    }

    @Test func `a viewer's later offer that would send is refused, and changes nothing`() async throws {
        let server = try MediaServer(configuration: MediaServerConfiguration())
        let meeting = UUID()
        let viewer = request(meeting, offer: Self.offer.replacingOccurrences(of: "sendrecv", with: "recvonly"))
        let answer = try await server.join(viewer)
        #expect(answer.kind == .viewer)
        for direction in ["sendrecv", "sendonly"] {
            let offer = Self.offer.replacingOccurrences(of: "sendrecv", with: direction)
            await #expect(throws: JoinRefusal.mayNotSend) {
                try await server.renegotiate(session: viewer.session, offer: offer, maySend: false, ifMatch: nil)
            }
            #expect(server.snapshot(meeting: meeting).map(\.kind) == [.viewer])
        }
        let paused = Self.offer.replacingOccurrences(of: "sendrecv", with: "inactive")
        #expect(try await server.renegotiate(session: viewer.session, offer: paused, maySend: false, ifMatch: nil).kind == .viewer)
        #expect(try await server.renegotiate(session: viewer.session, offer: Self.offer, maySend: true, ifMatch: nil).kind == .participant)
        await server.stop()
    }

    @Test func `new credentials in a fragment restart ICE and change the entity tag`() async throws {
        let server = try MediaServer(configuration: MediaServerConfiguration())
        let one = request(UUID())
        let answer = try await server.join(one)
        let fragment = "a=ice-ufrag:Abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        let reply = try #require(try await server.trickle(session: one.session, fragment: fragment, ifMatch: nil))
        #expect(reply.contains("a=ice-ufrag:") && !reply.contains(answer.etag))
        // Of before the restart, and late; then tags that are not the session's. The generation stays.
        let stale = JoinRefusal.stale(etag: try #require(Self.fragment(in: reply)))
        let late =
            "a=ice-ufrag:\(Self.offeredFragment)\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        await #expect(throws: stale) { try await server.trickle(session: one.session, fragment: late, ifMatch: nil) }
        await #expect(throws: stale) { try await server.trickle(session: one.session, fragment: late, ifMatch: ["*"]) }
        let other = fragment.replacingOccurrences(of: "Abcd", with: "Efgh")
        for tags in [[answer.etag], ["never-was"], []] {
            await #expect(throws: stale) { try await server.trickle(session: one.session, fragment: other, ifMatch: tags) }
            await #expect(throws: stale) {
                try await server.renegotiate(session: one.session, offer: Self.offer, maySend: true, ifMatch: tags)
            }
        }
        for tags in [nil, ["*"], ["x", try #require(Self.fragment(in: reply))]] as [[String]?] {
            #expect(try await server.trickle(session: one.session, fragment: fragment, ifMatch: tags) == nil)
        }
        await #expect(throws: JoinRefusal.unknownSession) { try await server.trickle(session: UUID(), fragment: fragment, ifMatch: nil) }
        await server.stop()
    }

    @Test func `a port that is in use is named`() throws {
        let socket = try UDPSocket(port: 0)
        // Held without SO_REUSEPORT by nobody else here: the probe itself must see it.
        #expect(UDPSocket.isTaken(port: socket.port))
        var configuration = MediaServerConfiguration()
        configuration.port = socket.port
        #expect(throws: MediaServerError.portTaken(socket.port)) { try MediaServer(configuration: configuration) }
    }
}
