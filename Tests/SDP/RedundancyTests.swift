import Foundation
import ICE
import Testing

@testable import SDP

struct RedundancyTests {
    @Test(arguments: Samples.names)
    func `who offers sound with redundancy for its Opus is answered so, behind plain sound`(name: String) throws {
        let offer = try SessionDescription(parsing: try Samples.text(name))
        let (answer, session) = try Answerer(parameters: try Samples.parameters()).answer(offer)
        let takes = name.hasPrefix("chromium") || name.hasPrefix("safari")
        let audio = try #require(session.audio)
        #expect(audio.redundantPayloadType == (takes ? 63 : nil))
        let line = try #require(answer.media.first { $0.kind == "audio" })
        #expect(line.formats == [audio.stream.payloadType, audio.redundantPayloadType].compactMap { $0 }.map { "\($0)" })
        #expect(line.lines.attributes("rtpmap").contains { $0.value == "63 red/48000/2" } == takes)
        #expect(line.lines.attributes("fmtp").contains { $0.value == "63 111/111" } == takes)
        // Redundancy of pictures is another thing.
        for media in answer.media where media.kind == "video" {
            #expect(!media.lines.attributes("rtpmap").contains { $0.value.contains("red/") })
        }
    }

    @Test(arguments: [
        ("a=fmtp:63 111/111", "a=fmtp:63 111/0"), ("a=fmtp:63 111/111", "a=fmtp:63 0/111"), ("a=fmtp:63 111/111", "a=fmtp:63 /"),
        ("a=fmtp:63 111/111", "a=fmtp:63 111/111;x=1"), ("a=fmtp:63 111/111", "a=fmtp:63 111/111=1"), ("a=fmtp:63 111/111", "a=x"),
        ("red/48000/2", "red/8000"), ("red/48000/2", "red/48000"),
    ])
    func `of strangers' payload types no redundancy is taken`(old: String, new: String) throws {
        let text = try Samples.text("chromium-156-audio-only")
        try #require(text.contains(old))
        let offer = try SessionDescription(parsing: text.replacingOccurrences(of: old, with: new))
        let (answer, session) = try Answerer(parameters: try Samples.parameters()).answer(offer)
        #expect(session.audio?.redundantPayloadType == nil && answer.media[0].formats == ["111"])
    }

    @Test func `our endpoint offers it, and takes no number that it did not offer`() throws {
        let offerer = Offerer(parameters: try Samples.parameters(), audio: .sendrecv, video: nil)
        let answer = try Answerer(parameters: try Samples.parameters()).answer(offerer.offer()).answer.description
        #expect(try offerer.session(from: try SessionDescription(parsing: answer)).audio?.redundantPayloadType == 63)
        let other = try SessionDescription(parsing: answer.replacingOccurrences(of: "63", with: "64"))
        #expect(try offerer.session(from: other).audio?.redundantPayloadType == nil)
    }
}
