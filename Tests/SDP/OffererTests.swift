import Base
import ICE
import TestSupport
import Testing

@testable import SDP

struct OffererTests {
    @Test(arguments: [
        (Direction.sendrecv, NegotiatedSession.Kind.participant), (.sendonly, .publisher), (.recvonly, .viewer),
    ])
    func `our offer and our answer agree from both sides`(direction: Direction, kind: NegotiatedSession.Kind) throws {
        var client = try Samples.parameters()
        client.credentials = ICECredentials(ufrag: "clientUf", password: "clientPasswordOf24Letter")
        (client.audio.ssrc, client.video.ssrc, client.video.rtxSSRC) = (31, 41, 42)
        let offerer = Offerer(parameters: client, audio: direction, video: direction)
        let offer = try SessionDescription(parsing: offerer.offer().description)
        let (made, theirs) = try Answerer(parameters: try Samples.parameters()).answer(offer)
        let ours = try offerer.session(from: try SessionDescription(parsing: made.description))
        #expect(theirs.kind == kind && ours.isDTLSClient && ours.remoteIsLite && ours.remoteSetup == .passive)
        #expect(ours.remoteCredentials.ufrag == "serverUf" && theirs.remoteCredentials.ufrag == "clientUf")
        #expect(ours.remoteCandidates == [TransportAddress(ipv4: 0xc000_0201, port: 5_000)])
        let (mine, other) = (try #require(ours.video?.stream), try #require(theirs.video?.stream))
        #expect(mine.sends == other.receives && mine.receives == other.sends && mine.payloadType == other.payloadType)
        #expect(mine.feedback == other.feedback && mine.rtxPayloadType == 97 && mine.sendExtensions == other.receiveExtensions)
        #expect(other.remoteSources == (direction.sends ? [RemoteSource(ssrc: 41, rtxSSRC: 42)] : []))
        #expect(mine.remoteSources == (direction.receives ? [RemoteSource(ssrc: 21, rtxSSRC: 22)] : []))
        #expect(ours.audio?.useInbandFEC == true && ours.audio?.useDTX == true)
    }

    @Test func `an answer with a payload type that was not offered is refused`() throws {
        let offerer = Offerer(parameters: try Samples.parameters(), audio: .sendrecv, video: nil)
        let answer = try Answerer(parameters: try Samples.parameters()).answer(offerer.offer()).answer.description
        let other = try SessionDescription(parsing: answer.split(separator: "111").joined(separator: "112"))
        #expect(throws: SDPError.mismatch(mediaLine: 0, reason: .payloadType)) { try offerer.session(from: other) }
    }
}

struct TrickleFragmentTests {
    let text = """
        a=ice-ufrag:EsAw
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        m=audio 9 UDP/TLS/RTP/SAVPF 0
        a=mid:0
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
        a=candidate:3471623853 1 udp 2122194687 abc.local 61765 typ host
        a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0
        a=end-of-candidates

        """

    @Test func `the example of WHIP is read, printed and read again`() throws {
        let fragment = try TrickleFragment(parsing: text)
        #expect(fragment.credentials == ICECredentials(ufrag: "EsAw", password: "P2uYro0UCOQ4zxjKXaWCBui1"))
        #expect(fragment.mid == "0" && fragment.isComplete && fragment.candidates.count == 3)
        #expect(fragment.addresses == [TransportAddress(ipv4: 0xc000_0201, port: 61_764)])
        #expect(try TrickleFragment(parsing: fragment.description) == fragment)
    }

    @Test(arguments: [
        ("a=ice-pwd", "a=x", Malformation.unpairedCredentials), ("typ host gen", "tip host gen", .candidate),
        ("EsAw\na", "E\na", .credentials),
    ])
    func `a broken fragment says what is wrong`(old: String, new: String, reason: Malformation) throws {
        let broken = text.replacing(old, with: new)
        let error = #expect(throws: SDPError.self) { try TrickleFragment(parsing: broken) }
        guard case .malformed(_, reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
