import Base
import Foundation
import ICE
import Peer
import RTP
import SDP
import TestSupport
import Testing

@testable import MCU

/// Who owns which session, without a thread: workers are numbers here.
struct SessionDirectoryTests {
    private let core = MediaCore(configuration: MediaServerConfiguration())
    private let directory = SessionDirectory()

    private func ticket(_ session: UUID = UUID(), fragment: String, answered: Instant = .start) throws -> SessionTicket {
        let identity = try Self.identity.get()
        let parameters = LocalParameters(
            credentials: ICECredentials(ufrag: fragment, password: "passwordOfTwentyFour0000"), fingerprint: identity.fingerprint,
            candidates: [],
            sessionID: 1, cname: "c", streamID: "s", audio: .init(ssrc: 1, trackID: "a"), video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
        let negotiated = try Answerer(parameters: parameters).answer(try SessionDescription(parsing: MediaServerTests.offer)).session
        return SessionTicket(
            session: session,
            participant: Participant(session: session, kind: .participant, name: "Lai Châu", joined: .start, negotiated: negotiated),
            bridge: Bridge(meeting: UUID(), core: core),
            peer: PeerConfiguration(
                role: .server, identity: identity, localCredentials: parameters.credentials, negotiated: negotiated, cname: "c", seed: 1,
                ntpAtStart: 0), localFragment: fragment, answered: answered)
    }

    private static let identity = Result { try DTLSIdentity() }

    /// What a first check that names `fragment` finds, in words.
    private func claim(_ fragment: String, worker: Int) throws -> String {
        switch directory.claim(fragment: try #require(UsernameFragment(fragment)), worker: worker) {
        case .take(let ticket): "take \(ticket.localFragment)"
        case .owned(let worker): "owned by \(worker)"
        case .unknown: "unknown"
        }
    }

    @Test func `the first worker that is asked for takes it, the others learn whose it is`() throws {
        let waiting = try ticket(fragment: "abcdefgh")
        #expect(try claim("abcdefgh", worker: 0) == "unknown")
        directory.expect(waiting)
        #expect(try claim("stranger", worker: 0) == "unknown" && directory.count == 1)
        #expect(try claim("abcdefgh", worker: 2) == "take abcdefgh")
        #expect(try claim("abcdefgh", worker: 0) == "owned by 2" && claim("abcdefgh", worker: 2) == "owned by 2")
        #expect(directory.remove(waiting.session) == 2 && directory.remove(waiting.session) == nil)
        #expect(try claim("abcdefgh", worker: 0) == "unknown" && directory.count == 0)
    }

    @Test func `a restart's name counts beside the present one, until only some are kept`() throws {
        let (waiting, other) = (try ticket(fragment: "abcdefgh"), try ticket(fragment: "otherone"))
        directory.expect(waiting)
        directory.expect(other)
        #expect(try claim("abcdefgh", worker: 1) == "take abcdefgh")
        directory.add(fragment: "restart1", for: waiting.session)
        directory.add(fragment: "restart2", for: waiting.session)
        for name in ["abcdefgh", "restart1", "restart2"] { #expect(try claim(name, worker: 3) == "owned by 1") }
        directory.keep(fragments: [try #require(UsernameFragment("restart2"))], of: waiting.session)
        #expect(try claim("abcdefgh", worker: 3) == "unknown" && claim("restart1", worker: 3) == "unknown")
        #expect(try claim("restart2", worker: 3) == "owned by 1" && claim("otherone", worker: 3) == "take otherone")
        // A session that is gone gets no names.
        directory.remove(waiting.session)
        directory.add(fragment: "restart3", for: waiting.session)
        #expect(try claim("restart3", worker: 0) == "unknown")
    }

    @Test func `one that still waits is answered anew: only its last name counts`() throws {
        let waiting = try ticket(fragment: "abcdefgh")
        directory.expect(waiting)
        let owner = directory.amend(waiting.session) { $0.localFragment = "abcdefgh" }
        #expect(try owner == nil && claim("abcdefgh", worker: 4) == "take abcdefgh")
        var isChanged = false
        #expect(directory.amend(waiting.session) { _ in isChanged = true } == 4 && !isChanged)
        #expect(directory.amend(UUID()) { _ in isChanged = true } == nil && !isChanged)
    }

    @Test func `those that nobody reached go after their time, with their names`() throws {
        let (early, late, owned) = (
            try ticket(fragment: "earlyone", answered: .start), try ticket(fragment: "lateonee", answered: .start + .seconds(20)),
            try ticket(fragment: "ownedone", answered: .start)
        )
        for one in [early, late, owned] { directory.expect(one) }
        #expect(try claim("ownedone", worker: 1) == "take ownedone")
        let gone = directory.removeWaiting(answeredBefore: .start + .seconds(10))
        #expect(gone.map(\.session) == [early.session] && directory.count == 2)
        #expect(try claim("earlyone", worker: 0) == "unknown" && claim("lateonee", worker: 0) == "take lateonee")
        directory.forget()
        #expect(try directory.count == 0 && claim("ownedone", worker: 0) == "unknown")
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `whatever happens in whatever order, a name finds its own session or none, and at the end nothing is left`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pattern = try ticket(fragment: "pattern0")
        /// As it should be: the owner (nil while it waits) and the names.
        var known: [UUID: (owner: Int?, names: Set<String>)] = [:]
        var made = 0
        func name() -> String {
            made += 1
            return "name\(10_000 + made)"
        }
        for _ in 0..<1_500 {
            let session = known.keys.sorted { $0.uuidString < $1.uuidString }.randomElement(using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2:
                var fresh = pattern
                (fresh.session, fresh.localFragment) = (UUID(), name())
                directory.expect(fresh)
                known[fresh.session] = (nil, [fresh.localFragment])
            case 3...5:
                guard let session, let found = known[session], let one = found.names.sorted().randomElement(using: &random) else {
                    continue
                }
                let worker = Int.random(in: 0..<4, using: &random)
                let said = try claim(one, worker: worker)
                #expect(found.owner.map { said == "owned by \($0)" } ?? said.hasPrefix("take "))
                known[session]?.owner = found.owner ?? worker
            case 6...7:
                guard let session else { continue }
                let fresh = name()
                directory.add(fragment: fresh, for: session)
                known[session]?.names.insert(fresh)
            case 8:
                guard let session, let last = known[session]?.names.sorted().last else { continue }
                directory.keep(fragments: [try #require(UsernameFragment(last))], of: session)
                for gone in known[session]?.names.subtracting([last]) ?? [] { #expect(try claim(gone, worker: 9) == "unknown") }
                known[session]?.names = [last]
            default:
                guard let session, let found = known.removeValue(forKey: session) else { continue }
                #expect(directory.remove(session) == found.owner)
                for gone in found.names { #expect(try claim(gone, worker: 9) == "unknown") }
            }
            #expect(directory.count == known.count)
        }
        for session in known.keys { directory.remove(session) }
        #expect(directory.count == 0)
    }
}
