import Base
import Foundation

/// The loop that endpoints send, and its thin form once somebody's line asked for it: made once, in the background, for all who send it.
final class SoundShelf: Sendable {
    let original: EncodedSound
    private enum Thin {
        case unasked, inWork
        case made(EncodedSound)
    }
    private let thin = Guarded(Thin.unasked)

    init(_ original: EncodedSound) { self.original = original }

    /// - Returns: the thin form, or the usual one where there is none; nil while it is being made.
    func thinSound() -> EncodedSound? {
        let (made, begins): (EncodedSound?, Bool) = thin.withLock { thin in
            switch thin {
            case .made(let sound): return (sound, false)
            case .inWork: return (nil, false)
            case .unasked:
                thin = .inWork
                return (nil, true)
            }
        }
        if begins {
            let thread = Thread { [self] in
                // What cannot be made thin is sent as it is.
                let sound = (try? original.thinned()) ?? original
                thin.withLock { $0 = .made(sound) }
            }
            thread.name = "thin-sound"
            thread.start()
        }
        return made
    }
}
