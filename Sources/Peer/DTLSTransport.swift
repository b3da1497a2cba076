import Base
import COpenSSL
import RTP
import SDP

/// One DTLS 1.2+ association for the keys of SRTP (RFC 5763, RFC 5764). Sans-IO: datagrams and time in, datagrams and states out.
///
/// The retransmission timer is ours (RFC 6347 §4.2.4: doubled for each loss), see `DatagramBIO` for how OpenSSL is made to follow it.
final class DTLSTransport {
    enum Role { case client, server }
    enum State: Equatable {
        case handshaking, connected
        /// The other side closed in order.
        case closed
        case failed(Failure)
    }
    enum Failure: Equatable { case fingerprintMismatch, noSRTPProfile, handshake, tooManyRetransmissions }
    /// What became of a datagram.
    enum Fate: Equatable {
        case taken
        /// It can be nothing of this association.
        case malformed
        /// It proves nothing and would end a handshake that has not begun: anybody can send it under another's address.
        case unproven
    }

    /// A server begins anew so often where a handshake cannot go on: whatever broke it was not authenticated.
    static let mostBeginnings = 10

    /// Bytes of a UDP payload; below every path's, tunnels included.
    static let mtu = 1_200
    /// Less than the second of RFC 6347, as WebRTC stacks do: a call waits for this.
    static let firstTimeout = Duration.milliseconds(200)
    static let longestTimeout = Duration.seconds(2)

    private(set) var state = State.handshaking
    /// Why it failed to verify, set by the callback during the handshake.
    private var sawMismatch = false
    /// When to call `handleTimer`; nil while no flight waits for its answer.
    private(set) var deadline: Instant?
    private(set) var keys: SRTPKeys?

    private var association: OpaquePointer
    private var datagrams: DatagramBIO
    private let identity: DTLSIdentity
    private let fingerprints: [Fingerprint]
    private let role: Role
    private let profiles: [SRTPProfile]
    private var beginnings = 1
    /// The random of the hello that this association answers; nil before one, empty where it came in parts.
    private var hello: [UInt8]?
    private var timeout = firstTimeout
    private var hasStarted = false

    /// - Parameter fingerprints: the other side's; its certificate must match one of them.
    /// - Parameter profiles: SRTP protection profiles, best first.
    init(
        role: Role, identity: DTLSIdentity, fingerprints: [Fingerprint], profiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMSHA1_80]
    ) throws(DTLSError) {
        guard let association = SSL_new(identity.context) else { throw .lastLibraryError() }
        self.association = association
        self.identity = identity
        self.fingerprints = fingerprints
        self.role = role
        self.profiles = profiles
        datagrams = DatagramBIO()
        try prepare()
    }

    private func prepare() throws(DTLSError) {
        guard let bio = datagrams.makeBIO() else { throw .lastLibraryError() }
        SSL_set_bio(association, bio, bio)
        SSL_set_ex_data(association, 0, Unmanaged.passUnretained(self).toOpaque())
        SSL_ctrl(association, SSL_CTRL_SET_MTU, Self.mtu, nil)
        // Far away: OpenSSL itself must never find that its time is up.
        if DatagramBIO.isTimerFieldLive { DTLS_set_timer_cb(association) { _, _ in 3_600_000_000 } }
        // Returns 0 when it went well, unlike its neighbours.
        guard SSL_set_tlsext_use_srtp(association, profiles.map(\.openSSLName).joined(separator: ":")) == 0 else {
            throw .lastLibraryError()
        }
        if role == .client { SSL_set_connect_state(association) } else { SSL_set_accept_state(association) }
    }

    /// Waits for the next hello, as if nothing had come.
    private func beginAnew() -> Bool {
        guard role == .server, beginnings < Self.mostBeginnings, let fresh = SSL_new(identity.context) else { return false }
        SSL_free(association)
        association = fresh
        datagrams = DatagramBIO()
        hello = nil
        deadline = nil
        timeout = Self.firstTimeout
        beginnings += 1
        do { try prepare() } catch { return false }
        return true
    }

    deinit { SSL_free(association) }

    /// What is to be sent, each a datagram. Empties it.
    func takeDatagrams() -> [[UInt8]] { datagrams.takeOutgoing() }

    /// The client's first flight. The server waits.
    func start(now: Instant) {
        guard !hasStarted else { return }
        hasStarted = true
        if role == .client { step(now: now) }
    }

    /// Other than `.taken` a datagram is without effect.
    @discardableResult
    func handle(_ datagram: Span<UInt8>, now: Instant) -> Fate {
        hasStarted = true
        guard Self.looksLikeRecord(datagram) else { return .malformed }
        switch state {
        case .handshaking:
            guard mayAdvance(datagram) else { return .unproven }
            datagrams.withIncoming(datagram) { step(now: now) }
        case .connected: datagrams.withIncoming(datagram) { step(now: now) }
        case .closed, .failed: return .malformed
        }
        return .taken
    }

    /// A handshake is not ended by what anybody can send under another's address: an alert in the clear, or the middle of a handshake that has not begun.
    private func mayAdvance(_ datagram: Span<UInt8>) -> Bool {
        let (type, isPlain) = (datagram[0], datagram[3] == 0 && datagram[4] == 0)
        if type == 21, isPlain { return false }
        guard role == .server else { return true }
        // handshake, ClientHello (RFC 5246 §7.4), fragments included
        let isHello = type == 22 && isPlain && datagram.count > 13 && datagram[13] == 1
        guard hello == nil else {
            // Another hello than the one that was answered: one of the two was forged, and the sender of the other goes on asking.
            if isHello, let random = Self.random(in: datagram), random != hello, beginAnew() { hello = random }
            return true
        }
        guard isHello else { return false }
        hello = Self.random(in: datagram) ?? []
        return true
    }

    /// The random of a ClientHello that begins in this record (RFC 6347 §4.2.2); nil where there is only a later part of one.
    private static func random(in datagram: Span<UInt8>) -> [UInt8]? {
        let (fragmentOffset, random) = (19..<22, 27..<59)
        guard datagram.count >= random.upperBound, fragmentOffset.allSatisfy({ datagram[$0] == 0 }) else { return nil }
        return random.map { datagram[$0] }
    }

    func handleTimer(now: Instant) {
        guard let due = deadline, now >= due, state == .handshaking else { return }
        timeout = min(timeout * 2, Self.longestTimeout)
        datagrams.expireTimer()
        ERR_clear_error()
        let outcome = SSL_ctrl(association, DTLS_CTRL_HANDLE_TIMEOUT, 0, nil)
        deadline = now + timeout
        datagrams.isTimerChanged = false
        if outcome < 0 { fail(.tooManyRetransmissions) }
    }

    /// Sends close_notify where there is an association to close.
    func close() {
        if state == .connected || state == .handshaking && SSL_is_init_finished(association) == 1 {
            ERR_clear_error()
            SSL_shutdown(association)
        }
        if case .failed = state { return }
        state = .closed
        deadline = nil
    }

    /// A record's content type, version and length field that fits (RFC 6347 §4.1): OpenSSL would drop the rest silently, we want it counted.
    private static func looksLikeRecord(_ datagram: Span<UInt8>) -> Bool {
        guard datagram.count >= 13, (20...25).contains(datagram[0]), datagram[1] == 254 else { return false }
        return 13 + Int(datagram[11]) << 8 + Int(datagram[12]) <= datagram.count
    }

    private func step(now: Instant) {
        ERR_clear_error()
        datagrams.isTimerChanged = false
        if state == .handshaking { advanceHandshake() } else { readAfterwards() }
        guard datagrams.isTimerChanged else { return }
        if datagrams.isTimerArmed { timeout = Self.firstTimeout }
        deadline = datagrams.isTimerArmed && state == .handshaking ? now + timeout : nil
    }

    private func advanceHandshake() {
        let outcome = SSL_do_handshake(association)
        if outcome == 1 {
            guard let keys = SRTPKeys(exportedFrom: association, role: role) else { return fail(.noSRTPProfile) }
            self.keys = keys
            state = .connected
            deadline = nil
            return
        }
        switch SSL_get_error(association, outcome) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
        default:
            // The certificate was proved to be its sender's own, so a wrong one is an answer. Nothing else is.
            if sawMismatch { return fail(.fingerprintMismatch) }
            if !beginAnew() { fail(.handshake) }
        }
    }

    /// Alerts, and the last flight again where the other side asks for it again. Application data has no meaning here and is thrown away.
    private func readAfterwards() {
        var scratch: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for _ in 0..<1_024 {  // more reads than a datagram has bytes for
            let got = withUnsafeMutableBytes(of: &scratch) { SSL_read(association, $0.baseAddress, Int32($0.count)) }
            guard got <= 0 else { continue }
            let isClosed = SSL_get_shutdown(association) & SSL_RECEIVED_SHUTDOWN != 0
            // Any other error is a stranger's record or a fatal alert without proof of close: the keys are out, consent (RFC 7675) says when it ends.
            if isClosed { state = .closed }
            return
        }
    }

    private func fail(_ failure: Failure) {
        state = .failed(failure)
        deadline = nil
        keys = nil
    }

    /// OpenSSL's question whether the peer's certificate is good.
    static func verify(_ store: OpaquePointer?) -> Int32 {
        guard let store, let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let data = SSL_get_ex_data(OpaquePointer(ssl), 0), let certificate = X509_STORE_CTX_get0_cert(store)
        else { return 0 }
        let transport = Unmanaged<DTLSTransport>.fromOpaque(data).takeUnretainedValue()
        if transport.fingerprints.contains(where: { $0.matches(certificate) }) { return 1 }
        transport.sawMismatch = true
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
        return 0
    }
}
