import COpenSSL
import CSRTP

/// OpenSSL's AES-GCM, AES-CTR and HMAC-SHA1 under libsrtp2's state machine, by libsrtp2's own calls for that (`srtp_replace_cipher_type`). Debian builds
/// libsrtp2 on NSS, whose engines cost twice to four times as much (docs/decisions/srtp-engine.md). libsrtp2 takes an engine only after both its own
/// test vectors and those given here came out right.
///
/// Unsafe, and why it holds: libsrtp2 calls `alloc` once, then the others with the state that `alloc` gave, then `dealloc` once, and never two at a time for
/// one state. The tables of functions are allocated once and never freed.
enum SRTPEngine {
    /// `srtp_init` and the engines, once for the process. An engine that is refused leaves libsrtp2's own in its place.
    static let status: (library: srtp_err_status_t, isReplaced: Bool) = {
        let library = srtp_init()
        guard library == srtp_err_status_ok, let algorithms = Algorithms.shared else { return (library, false) }
        _ = algorithms
        let isReplaced =
            srtp_replace_cipher_type(gcm, srtp_cipher_type_id_t(SRTP_AES_GCM_128)) == srtp_err_status_ok
            && srtp_replace_cipher_type(counter, srtp_cipher_type_id_t(SRTP_AES_ICM_128)) == srtp_err_status_ok
            && srtp_replace_auth_type(hmac, srtp_auth_type_id_t(SRTP_HMAC_SHA1)) == srtp_err_status_ok
        return (library, isReplaced)
    }()

    /// OpenSSL's algorithms, fetched once: a fetch is a search by name.
    struct Algorithms: @unchecked Sendable {
        let gcm: OpaquePointer
        let counter: OpaquePointer
        let hmac: OpaquePointer

        static let shared = Algorithms()

        init?() {
            guard let gcm = EVP_CIPHER_fetch(nil, "AES-128-GCM", nil), let counter = EVP_CIPHER_fetch(nil, "AES-128-CTR", nil),
                let hmac = EVP_MAC_fetch(nil, "HMAC", nil)
            else { return nil }
            (self.gcm, self.counter, self.hmac) = (gcm, counter, hmac)
        }
    }

    /// Key and salt as libsrtp2 counts them.
    static let (gcmKeyLength, counterKeyLength): (Int32, Int32) = (28, 30)

    /// What libsrtp2 hands back with each call.
    private struct CipherState {
        let context: OpaquePointer
        var tagLength: Int32 = 0
        /// Of AES-CTR: the session salt, two zeros behind it.
        var salt = InlineArray<16, UInt8>(repeating: 0)
    }

    private typealias State = UnsafeMutablePointer<CipherState>

    private static func state(_ pointer: UnsafeMutableRawPointer?) -> State? { pointer?.assumingMemoryBound(to: CipherState.self) }

    private static func make(
        _ type: UnsafePointer<srtp_cipher_type_t>, _ algorithm: Int32, keyLength: Int32, tagLength: Int32,
        into result: UnsafeMutablePointer<srtp_cipher_pointer_t?>?
    ) -> srtp_err_status_t {
        guard let result, let context = EVP_CIPHER_CTX_new() else { return srtp_err_status_alloc_fail }
        let state = State.allocate(capacity: 1)
        state.initialize(to: CipherState(context: context, tagLength: tagLength))
        let cipher = UnsafeMutablePointer<srtp_cipher_t>.allocate(capacity: 1)
        cipher.initialize(to: srtp_cipher_t(type: type, state: state, key_len: keyLength, algorithm: algorithm))
        result.pointee = cipher
        return srtp_err_status_ok
    }

    private static func free(_ cipher: srtp_cipher_pointer_t?) -> srtp_err_status_t {
        guard let cipher else { return srtp_err_status_bad_param }
        if let state = state(cipher.pointee.state) {
            EVP_CIPHER_CTX_free(state.pointee.context)
            state.deallocate()
        }
        cipher.deallocate()
        return srtp_err_status_ok
    }

    private static func check(_ result: Int32, _ otherwise: srtp_err_status_t = srtp_err_status_cipher_fail) -> srtp_err_status_t {
        result == 1 ? srtp_err_status_ok : otherwise
    }

    // MARK: AES-128-GCM (RFC 7714)

    nonisolated(unsafe) private static let gcm: UnsafePointer<srtp_cipher_type_t> = {
        let type = UnsafeMutablePointer<srtp_cipher_type_t>.allocate(capacity: 1)
        type.initialize(
            to: srtp_cipher_type_t(
                alloc: { result, keyLength, tagLength in
                    guard keyLength == SRTPEngine.gcmKeyLength, tagLength == 16 || tagLength == 8 else { return srtp_err_status_bad_param }
                    return SRTPEngine.make(
                        SRTPEngine.gcm, Int32(SRTP_AES_GCM_128), keyLength: keyLength, tagLength: tagLength, into: result)
                },
                dealloc: { SRTPEngine.free($0) },
                init: { state, key in
                    guard let state = SRTPEngine.state(state), let key, let algorithms = Algorithms.shared else {
                        return srtp_err_status_bad_param
                    }
                    return SRTPEngine.check(
                        EVP_CipherInit_ex2(state.pointee.context, algorithms.gcm, key, nil, 1, nil), srtp_err_status_init_fail)
                },
                set_aad: { state, bytes, count in
                    guard let state = SRTPEngine.state(state) else { return srtp_err_status_bad_param }
                    var written: Int32 = 0
                    return SRTPEngine.check(EVP_CipherUpdate(state.pointee.context, nil, &written, bytes, Int32(count)))
                },
                encrypt: { state, bytes, count in
                    guard let state = SRTPEngine.state(state), let bytes, let count else { return srtp_err_status_bad_param }
                    var (written, rest): (Int32, Int32) = (0, 0)
                    guard EVP_CipherUpdate(state.pointee.context, bytes, &written, bytes, Int32(count.pointee)) == 1 else {
                        return srtp_err_status_cipher_fail
                    }
                    return SRTPEngine.check(EVP_CipherFinal_ex(state.pointee.context, bytes + Int(written), &rest))
                },
                decrypt: { state, bytes, count in
                    guard let state = SRTPEngine.state(state), let bytes, let count else { return srtp_err_status_bad_param }
                    let length = Int32(count.pointee) - state.pointee.tagLength
                    guard length >= 0 else { return srtp_err_status_bad_param }
                    let context = state.pointee.context
                    var (written, rest): (Int32, Int32) = (0, 0)
                    guard
                        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, state.pointee.tagLength, bytes + Int(length)) == 1,
                        EVP_CipherUpdate(context, bytes, &written, bytes, length) == 1
                    else { return srtp_err_status_cipher_fail }
                    count.pointee = UInt32(length)
                    return SRTPEngine.check(EVP_CipherFinal_ex(context, bytes + Int(written), &rest), srtp_err_status_auth_fail)
                },
                set_iv: { state, vector, direction in
                    guard let state = SRTPEngine.state(state) else { return srtp_err_status_bad_param }
                    let encrypts: Int32 = direction == srtp_direction_encrypt ? 1 : 0
                    return SRTPEngine.check(EVP_CipherInit_ex2(state.pointee.context, nil, nil, vector, encrypts, nil))
                },
                get_tag: { state, tag, length in
                    guard let state = SRTPEngine.state(state), let length else { return srtp_err_status_bad_param }
                    length.pointee = UInt32(state.pointee.tagLength)
                    return SRTPEngine.check(
                        EVP_CIPHER_CTX_ctrl(state.pointee.context, EVP_CTRL_AEAD_GET_TAG, state.pointee.tagLength, tag))
                },
                description: SRTPEngineVectors.text("AES-128 GCM of OpenSSL"), test_data: SRTPEngineVectors.gcm,
                id: srtp_cipher_type_id_t(SRTP_AES_GCM_128)))
        return UnsafePointer(type)
    }()

    // MARK: AES-128 in counter mode (RFC 3711 §4.1.1)

    nonisolated(unsafe) private static let counter: UnsafePointer<srtp_cipher_type_t> = {
        let crypt: srtp_cipher_encrypt_func_t = { state, bytes, count in
            guard let state = SRTPEngine.state(state), let count else { return srtp_err_status_bad_param }
            var written: Int32 = 0
            return SRTPEngine.check(EVP_CipherUpdate(state.pointee.context, bytes, &written, bytes, Int32(count.pointee)))
        }
        let type = UnsafeMutablePointer<srtp_cipher_type_t>.allocate(capacity: 1)
        type.initialize(
            to: srtp_cipher_type_t(
                alloc: { result, keyLength, _ in
                    guard keyLength == SRTPEngine.counterKeyLength else { return srtp_err_status_bad_param }
                    return SRTPEngine.make(SRTPEngine.counter, Int32(SRTP_AES_ICM_128), keyLength: keyLength, tagLength: 0, into: result)
                },
                dealloc: { SRTPEngine.free($0) },
                init: { state, key in
                    guard let state = SRTPEngine.state(state), let key, let algorithms = Algorithms.shared else {
                        return srtp_err_status_bad_param
                    }
                    for index in 0..<14 { state.pointee.salt[index] = key[16 + index] }
                    return SRTPEngine.check(
                        EVP_CipherInit_ex2(state.pointee.context, algorithms.counter, key, nil, 1, nil), srtp_err_status_init_fail)
                },
                set_aad: nil, encrypt: crypt, decrypt: crypt,
                set_iv: { state, vector, _ in
                    guard let state = SRTPEngine.state(state), let vector else { return srtp_err_status_bad_param }
                    var salted = state.pointee.salt
                    for index in 0..<16 { salted[index] ^= vector[index] }
                    return salted.span.withUnsafeBufferPointer {
                        SRTPEngine.check(EVP_CipherInit_ex2(state.pointee.context, nil, nil, $0.baseAddress, 1, nil))
                    }
                },
                get_tag: nil, description: SRTPEngineVectors.text("AES-128 counter mode of OpenSSL"), test_data: SRTPEngineVectors.counter,
                id: srtp_cipher_type_id_t(SRTP_AES_ICM_128)))
        return UnsafePointer(type)
    }()

    // MARK: HMAC-SHA1 (RFC 3711 §4.2.1)

    nonisolated(unsafe) private static let hmac: UnsafePointer<srtp_auth_type_t> = {
        let type = UnsafeMutablePointer<srtp_auth_type_t>.allocate(capacity: 1)
        type.initialize(
            to: srtp_auth_type_t(
                alloc: { result, keyLength, tagLength in
                    guard let result, let algorithms = Algorithms.shared, let context = EVP_MAC_CTX_new(algorithms.hmac) else {
                        return srtp_err_status_alloc_fail
                    }
                    guard keyLength > 0, (1...20).contains(tagLength) else {
                        EVP_MAC_CTX_free(context)
                        return srtp_err_status_bad_param
                    }
                    let made = UnsafeMutablePointer<srtp_auth_t>.allocate(capacity: 1)
                    made.initialize(
                        to: srtp_auth_t(
                            type: SRTPEngine.hmac, state: UnsafeMutableRawPointer(context), out_len: tagLength, key_len: keyLength,
                            prefix_len: 0))
                    result.pointee = made
                    return srtp_err_status_ok
                },
                dealloc: { made in
                    guard let made else { return srtp_err_status_bad_param }
                    EVP_MAC_CTX_free(OpaquePointer(made.pointee.state))
                    made.deallocate()
                    return srtp_err_status_ok
                },
                init: { state, key, count in
                    SRTPEngine.check(nc_hmac_sha1_init(OpaquePointer(state), key, Int(count)), srtp_err_status_init_fail)
                },
                compute: { state, bytes, count, tagLength, tag in
                    var whole = InlineArray<20, UInt8>(repeating: 0)
                    var length = 0
                    let context = OpaquePointer(state)
                    guard let tag, EVP_MAC_update(context, bytes, Int(count)) == 1 else { return srtp_err_status_auth_fail }
                    var span = whole.mutableSpan
                    let isDone = span.withUnsafeMutableBufferPointer { EVP_MAC_final(context, $0.baseAddress, &length, $0.count) == 1 }
                    guard isDone, length == 20, tagLength <= 20 else { return srtp_err_status_auth_fail }
                    for index in 0..<Int(tagLength) { tag[index] = whole[index] }
                    return srtp_err_status_ok
                },
                update: { state, bytes, count in
                    SRTPEngine.check(EVP_MAC_update(OpaquePointer(state), bytes, Int(count)), srtp_err_status_auth_fail)
                },
                start: { SRTPEngine.check(EVP_MAC_init(OpaquePointer($0), nil, 0, nil), srtp_err_status_auth_fail) },
                description: SRTPEngineVectors.text("HMAC-SHA1 of OpenSSL"), test_data: SRTPEngineVectors.hmac,
                id: srtp_auth_type_id_t(SRTP_HMAC_SHA1)))
        return UnsafePointer(type)
    }()
}

/// Test vectors that each engine must pass before libsrtp2 takes it, in memory that is never freed.
enum SRTPEngineVectors {
    static func text(_ words: String) -> UnsafePointer<CChar>? { UnsafePointer(strdup(words)) }

    private static func kept(_ bytes: [UInt8]) -> UnsafeMutablePointer<UInt8> {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        memory.initialize(from: bytes, count: bytes.count)
        return memory
    }

    nonisolated(unsafe) private static let zeros = kept([UInt8](repeating: 0, count: 32))

    private static func cipher(keyLength: Int32, sealed: [UInt8], tagLength: Int32) -> UnsafePointer<srtp_cipher_test_case_t> {
        let test = UnsafeMutablePointer<srtp_cipher_test_case_t>.allocate(capacity: 1)
        test.initialize(
            to: srtp_cipher_test_case_t(
                key_length_octets: keyLength, key: zeros, idx: zeros, plaintext_length_octets: 16, plaintext: zeros,
                ciphertext_length_octets: UInt32(sealed.count), ciphertext: kept(sealed), aad_length_octets: 0, aad: zeros,
                tag_length_octets: tagLength, next_test_case: nil))
        return UnsafePointer(test)
    }

    /// Test case 2 of the GCM specification (McGrew and Viega): a key, a vector and a text of zeros.
    nonisolated(unsafe) static let gcm = cipher(
        keyLength: SRTPEngine.gcmKeyLength,
        sealed: [
            0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78,
            0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd, 0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf,
        ], tagLength: 16)

    /// FIPS 197's cipher on a block of zeros with a key of zeros is the first block of this key stream.
    nonisolated(unsafe) static let counter = cipher(
        keyLength: SRTPEngine.counterKeyLength,
        sealed: [0x66, 0xe9, 0x4b, 0xd4, 0xef, 0x8a, 0x2c, 0x3b, 0x88, 0x4c, 0xfa, 0x59, 0xca, 0x34, 0x2b, 0x2e], tagLength: 0)

    /// Test case 1 of RFC 2202 §3.
    nonisolated(unsafe) static let hmac: UnsafePointer<srtp_auth_test_case_t> = {
        let test = UnsafeMutablePointer<srtp_auth_test_case_t>.allocate(capacity: 1)
        let tag: [UInt8] = [
            0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00,
        ]
        test.initialize(
            to: srtp_auth_test_case_t(
                key_length_octets: 20, key: kept([UInt8](repeating: 0x0b, count: 20)), data_length_octets: 8,
                data: kept(Array("Hi There".utf8)), tag_length_octets: 20, tag: kept(tag), next_test_case: nil))
        return UnsafePointer(test)
    }()
}
