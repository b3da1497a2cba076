/// Everything that the API refuses with. The raw value is the end of the problem's `type`, a URN, and never changes its meaning:
/// programs compare it, people read the words of `Words`.
enum ProblemType: String, CaseIterable, Sendable {
    case notSignedIn = "not-signed-in"
    case wrongPassword = "wrong-password"
    case tooManyLogins = "too-many-logins"
    case foreignOrigin = "foreign-origin"
    case notAllowed = "not-allowed"
    case notFound = "not-found"
    case meetingNotFound = "meeting-not-found"
    case participantNotFound = "participant-not-found"
    case siteNotFound = "site-not-found"
    case methodNotAllowed = "method-not-allowed"
    case malformedJSON = "malformed-json"
    case unknownField = "unknown-field"
    case missingField = "missing-field"
    case wrongType = "wrong-type"
    case invalidValue = "invalid-value"
    case unknownCommand = "unknown-command"
    case unsupportedMediaType = "unsupported-media-type"
    case bodyTooLarge = "body-too-large"
    case preconditionRequired = "precondition-required"
    case stale = "stale"
    case notRunning = "meeting-not-running"
    case ended = "meeting-ended"
    case running = "meeting-running"
    case locked = "meeting-locked"
    case full = "meeting-full"
    case capacityTooSmall = "capacity-too-small"
    case malformedOffer = "malformed-offer"
    case unsupportedOffer = "unsupported-offer"
    case insecureOffer = "insecure-offer"
    case mediaBusy = "media-busy"
    case busy = "busy"
    case storeFailed = "store-failed"
    case storeFull = "store-full"
    case storeReadOnly = "store-read-only"
    case storeGone = "store-gone"
    case storeSlow = "store-slow"
    case storeNewer = "store-newer"
    case storeUncertain = "store-uncertain"
    case upgradeRequired = "upgrade-required"
    case wrongSubprotocol = "wrong-subprotocol"
    case tooManyChannels = "too-many-channels"
    case usernameTaken = "username-taken"
    case weakPassword = "weak-password"
    case tooManySessions = "too-many-media-sessions"
    case tooManyConnecting = "too-many-connecting"
    case tooManyJoins = "too-many-joins"
    case tooManyCommands = "too-many-commands"
    case mutedByChair = "muted-by-chair"
    case cameraOffByChair = "camera-off-by-chair"
    case keptOut = "removed-by-chair"
    case userNotFound = "user-not-found"
    case lastAdministrator = "last-administrator"
    case notYourPassword = "not-your-password"
    case siteNotYours = "site-not-yours"

    /// urn:, because it names a thing and promises no page (RFC 9457 §3.1.1).
    var uri: String { "urn:nhipcau:problem:" + rawValue }

    var status: Int {
        switch self {
        case .notSignedIn, .wrongPassword: 401
        case .tooManyLogins, .tooManyChannels, .tooManySessions, .tooManyConnecting, .tooManyJoins, .tooManyCommands: 429
        case .foreignOrigin, .notAllowed, .locked, .mutedByChair, .cameraOffByChair, .keptOut, .siteNotYours, .notYourPassword: 403
        case .notFound, .meetingNotFound, .participantNotFound, .userNotFound: 404
        case .methodNotAllowed: 405
        case .malformedJSON, .unknownField, .missingField, .wrongType, .unknownCommand, .malformedOffer, .insecureOffer: 400
        case .wrongSubprotocol: 400
        case .invalidValue, .unsupportedOffer, .weakPassword, .siteNotFound: 422
        case .unsupportedMediaType: 415
        case .bodyTooLarge: 413
        case .preconditionRequired: 428
        case .stale: 412
        case .notRunning, .ended, .running, .capacityTooSmall, .usernameTaken, .lastAdministrator: 409
        case .full, .mediaBusy, .busy: 503
        case .storeFailed, .storeFull, .storeReadOnly, .storeGone, .storeSlow, .storeNewer, .storeUncertain: 503
        case .upgradeRequired: 426
        }
    }
}
