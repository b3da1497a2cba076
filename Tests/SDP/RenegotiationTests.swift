import ICE
import TestSupport
import Testing

@testable import SDP

/// An endpoint and a server that negotiate again and again; each description goes as text.
private struct Negotiation {
    var random: SeededGenerator
    var client: LocalParameters
    var server: LocalParameters
    var offerer: Offerer
    /// What was agreed last, from each side.
    var atServer: NegotiatedSession?
    var atClient: NegotiatedSession?
    private(set) var lastOffer: SessionDescription?

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        client = try Samples.parameters()
        server = try Samples.parameters()
        client.credentials = .random(using: &random)
        server.credentials = .random(using: &random)
        client.fingerprint = try #require(Fingerprint(bytes: [UInt8](repeating: 0xcd, count: 32)))
        (client.audio.ssrc, client.video.ssrc, client.video.rtxSSRC) = (31, 41, 42)
        offerer = Offerer(parameters: client, audio: .sendrecv, video: Bool.random(using: &random) ? .sendrecv : nil)
    }

    /// One round: directions by chance, and new names on both sides where it is a restart.
    mutating func agree(isRestart: Bool) throws {
        if isRestart {
            client.credentials = .random(using: &random)
            server.credentials = .random(using: &random)
        }
        offerer.parameters = client
        offerer.audio = Direction.allCases.randomElement(using: &random)
        // A picture may join later, and never leaves: its m-line stays.
        if offerer.video != nil || Bool.random(using: &random) { offerer.video = Direction.allCases.randomElement(using: &random) }
        offerer.version += 1
        let offer = try SessionDescription(parsing: offerer.offer().description)
        #expect(offer == offerer.offer())
        if let atServer { #expect(try Answerer.isICERestart(offer, after: atServer) == isRestart) }
        let (made, session) = try Answerer(parameters: server).answer(offer, after: atServer)
        let answer = try SessionDescription(parsing: made.description)
        #expect(answer == made)
        (atServer, atClient, lastOffer) = (session, try offerer.session(from: answer), offer)
    }
}

struct RenegotiationTests {
    /// That one side's view is the other's, seen in a mirror.
    private func compare(_ ours: NegotiatedStream?, _ theirs: NegotiatedStream?, offered: Direction?) throws {
        guard let offered else {
            #expect(ours == nil && theirs == nil)
            return
        }
        let (ours, theirs) = (try #require(ours), try #require(theirs))
        #expect(ours.sends == offered.sends && ours.receives == offered.receives)
        #expect(ours.sends == theirs.receives && ours.receives == theirs.sends)
        #expect(ours.mid == theirs.mid && ours.mediaLine == theirs.mediaLine)
        #expect(ours.payloadType == theirs.payloadType && ours.rtxPayloadType == theirs.rtxPayloadType && ours.feedback == theirs.feedback)
        #expect(ours.sendExtensions == theirs.receiveExtensions && ours.receiveExtensions == theirs.sendExtensions)
        let (mine, other) = (source(ours), source(theirs))
        #expect(theirs.remoteSources == (ours.sends ? [mine] : []) && ours.remoteSources == (theirs.sends ? [other] : []))
    }

    private func source(_ stream: NegotiatedStream) -> RemoteSource { RemoteSource(ssrc: stream.localSSRC, rtxSSRC: stream.localRTXSSRC) }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `after each of many rounds both sides mean the same`(seed: UInt64) throws {
        var talk = try Negotiation(seed: seed)
        for round in 0..<12 {
            let before = talk.atServer
            let isRestart = round > 0 && Int.random(in: 0..<3, using: &talk.random) == 0
            try talk.agree(isRestart: isRestart)
            let (server, client) = (try #require(talk.atServer), try #require(talk.atClient))
            try compare(client.audio?.stream, server.audio?.stream, offered: talk.offerer.audio)
            try compare(client.video?.stream, server.video?.stream, offered: talk.offerer.video)
            #expect(client.remoteCredentials == talk.server.credentials && server.remoteCredentials == talk.client.credentials)
            #expect(client.remoteFingerprints == [talk.server.fingerprint] && server.remoteFingerprints == [talk.client.fingerprint])
            #expect(client.isDTLSClient && !server.isDTLSClient && client.remoteIsLite && !server.remoteIsLite)
            #expect(server.localVersion == (before?.localVersion ?? 0) + 1 && server.isICERestart == isRestart)
            #expect(server.mediaLines.allSatisfy { $0.refusal == nil } && server.mediaLines == client.mediaLines)
            let (sends, receives) = (
                [client.audio?.stream, client.video?.stream].contains { $0?.sends == true },
                [client.audio?.stream, client.video?.stream].contains { $0?.receives == true }
            )
            #expect(server.kind == (sends == receives ? .participant : sends ? .publisher : .viewer))
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `an offer that comes twice is answered alike, and is no restart`(seed: UInt64) throws {
        var talk = try Negotiation(seed: seed)
        for round in 0..<6 {
            try talk.agree(isRestart: round % 2 == 1)
            var (session, again) = (
                try #require(talk.atServer),
                try Answerer(parameters: talk.server).answer(try #require(talk.lastOffer), after: talk.atServer).session
            )
            #expect(!again.isICERestart && again.localVersion == session.localVersion + 1)
            (again.localVersion, session.localVersion, session.isICERestart) = (0, 0, false)
            #expect(again == session)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `an offer that breaks with what was agreed is refused, and the next good one goes on`(seed: UInt64) throws {
        var talk = try Negotiation(seed: seed)
        talk.offerer.video = .sendrecv
        for _ in 0..<6 {
            try talk.agree(isRestart: false)
            let (offer, session) = (try #require(talk.lastOffer), try #require(talk.atServer))
            let answerer = Answerer(parameters: talk.server)
            var shorter = offer
            shorter.media.removeLast()
            #expect(throws: SDPError.mismatch(mediaLine: 1, reason: .mediaLinesRemoved)) { try answerer.answer(shorter, after: session) }
            var turned = offer
            turned.media.swapAt(0, 1)
            #expect(throws: SDPError.mismatch(mediaLine: 0, reason: .mediaLineChanged)) { try answerer.answer(turned, after: session) }
            var another = talk.offerer
            another.parameters.fingerprint = talk.server.fingerprint
            #expect(throws: SDPError.mismatch(mediaLine: 0, reason: .fingerprintChanged)) {
                try answerer.answer(another.offer(), after: session)
            }
            #expect(try answerer.answer(offer, after: session).session.localVersion == session.localVersion + 1)
        }
    }
}
