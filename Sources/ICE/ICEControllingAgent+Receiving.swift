import Base
import RTP

extension ICEControllingAgent {
    /// A STUN datagram from `source`.
    /// - Parameter answer: overwritten with what to send back where the outcome is `.answered`.
    package mutating func handle(_ datagram: RawSpan, from source: TransportAddress, now: Instant, answer: inout [UInt8]) -> Outcome {
        answer.removeAll(keepingCapacity: true)
        // Why a stranger's datagram is no STUN does not matter; it is counted.
        guard let message = try? STUNMessage(parsing: datagram) else { return .dropped(.malformed) }
        guard message.method == STUNMessage.binding else { return .dropped(.notABindingRequest) }
        switch message.messageClass {
        case .request: return request(message, datagram, from: source, answer: &answer)
        case .success, .error:
            guard message.integrity != nil else { return .dropped(.missingIntegrity) }
            guard message.hasIntegrity(key: remoteKey, in: datagram) else { return .dropped(.wrongIntegrity) }
            return response(message, from: source, now: now)
        case .indication: return .dropped(.notABindingRequest)
        }
    }

    private mutating func response(_ message: STUNMessage, from source: TransportAddress, now: Instant) -> Outcome {
        if let index = consents.firstIndex(of: message.transaction) {
            guard message.messageClass == .success, source == selection else { return .taken }
            consents.removeSubrange(...index)
            consentUntil = now + Self.consentLifetime
            return .taken
        }
        guard let index = checks.firstIndex(where: { $0.awaits(message.transaction) }) else {
            return .dropped(.notABindingRequest)
        }
        // Only a response from where the request went proves that the pair works both ways (RFC 8445 §7.2.5.2.1).
        guard checks[index].address == source else {
            checks[index].state = .failed
            return .taken
        }
        if message.messageClass == .error {
            refuse(index, message)
            return .taken
        }
        checks[index].state = .succeeded
        if checks[index].nominates { return select(checks[index].address, now: now) }
        if isControlling, !checks.contains(where: { $0.nominates && $0.state != .failed }) {
            checks[index].again(nominates: true)
        }
        return .taken
    }

    private mutating func refuse(_ index: Int, _ message: STUNMessage) {
        guard message.errorCode == 487 else {
            checks[index].state = .failed
            return
        }
        isControlling.toggle()
        tieBreaker = random()
        checks[index].again(nominates: false)
    }

    mutating func select(_ address: TransportAddress, now: Instant) -> Outcome {
        selection = address
        checks.removeAll(keepingCapacity: true)
        consents.removeAll(keepingCapacity: true)
        consentUntil = now + Self.consentLifetime
        nextConsent = now + Self.consentInterval
        return .selected(address)
    }

    /// A check of a full peer: answered, and a role conflict settled by the tie-breakers (RFC 8445 §7.3.1.1).
    private mutating func request(
        _ message: STUNMessage, _ datagram: RawSpan, from source: TransportAddress, answer: inout [UInt8]
    ) -> Outcome {
        guard let name = message.username, !incomingUsername.isEmpty,
            datagram.extracting(name).isEqual(to: incomingUsername.span.bytes)
        else { return .dropped(.foreignUsername) }
        guard message.integrity != nil else { return .dropped(.missingIntegrity) }
        guard message.hasIntegrity(key: localKey, in: datagram) else { return .dropped(.wrongIntegrity) }
        var code: Int?
        if let theirs = isControlling ? message.controlling : message.controlled {
            // Equal roles: the greater tie-breaker controls.
            let isOursGreater = tieBreaker >= theirs
            if isOursGreater == isControlling { code = 487 } else { isControlling.toggle() }
        }
        if message.unknownRequired != nil { code = 420 }
        write(code, message, to: source, into: &answer)
        guard answer.count <= datagram.byteCount || source == selection else {
            answer.removeAll(keepingCapacity: true)
            return .dropped(.wouldAmplify)
        }
        if code == nil {
            add(source, nominated: message.useCandidate)
        }
        return .answered
    }

    private func write(_ code: Int?, _ message: STUNMessage, to source: TransportAddress, into answer: inout [UInt8]) {
        let writer = STUNWriter(code == nil ? .success : .error, transaction: message.transaction, into: &answer)
        if let code { writer.errorCode(code, into: &answer) } else { writer.xorMappedAddress(source, into: &answer) }
        if code == 420, let unknown = message.unknownRequired { writer.unknownAttribute(unknown, into: &answer) }
        writer.finish(key: localKey, into: &answer)
    }

    /// A proven check makes its source a candidate (peer-reflexive); where the peer controls and nominates it, our own check selects it.
    private mutating func add(_ source: TransportAddress, nominated: Bool) {
        guard selection == nil || isRestarting else { return }
        add(source)
        guard nominated, !isControlling, let index = checks.firstIndex(where: { $0.address == source }), !checks[index].nominates else {
            return
        }
        checks[index].again(nominates: true)
    }
}
