import Base
import ICE
import SDP

/// What parses prints to the same again, and its answer, if there is one, parses too.
@c(LLVMFuzzerTestOneInput) public func fuzzSDP(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    guard let offer = try? SessionDescription(parsing: text) else { return 0 }
    precondition(
        (try? SessionDescription(parsing: offer.description)) == offer || offer.description.utf8.count > SessionDescription.maximumBytes)
    guard let fingerprint = Fingerprint(bytes: [UInt8](repeating: 1, count: 32)) else { return 0 }
    let parameters = LocalParameters(
        credentials: ICECredentials(ufrag: "serverUf", password: "serverPasswordOf24Letter"), fingerprint: fingerprint,
        candidates: [TransportAddress(ipv4: 0x7f00_0001, port: 9)], sessionID: 1, cname: "c", streamID: "s",
        audio: .init(ssrc: 1, trackID: "a"),
        video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
    guard let answer = try? Answerer(parameters: parameters).answer(offer).answer else { return 0 }
    precondition((try? SessionDescription(parsing: answer.description)) == answer)
    return 0
}
