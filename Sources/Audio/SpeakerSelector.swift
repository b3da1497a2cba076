import Base
import RTP

/// Who is decoded and mixed, and who is shown as speaking, by levels alone: nothing is decoded in order to decide.
///
/// Levels rise at once and fall slowly. One who is heard keeps the seat against somebody only a little louder, and for `hold` after falling silent, so
/// that neither the mix nor the picture flickers between words.
package struct SpeakerSelector: Sendable {
    /// A sender, as the caller numbers it. Not generic: through a module's border that costs an allocation for each comparison.
    package typealias ID = UInt

    package struct Settings: Sendable {
        /// Most who are heard at once.
        package var seats = 5
        /// How much louder a challenger must be than one who is heard, in dB.
        package var advantage: Float = 6
        /// Quieter than this is silence, dBov.
        package var threshold: Float = -55
        /// How long the one shown as speaking, or one who is heard, stays after falling silent, and the least time between two changes.
        package var hold = Duration.milliseconds(1_200)
        /// How long a challenger must be the loudest before it is shown: a cough is shorter.
        package var proof = Duration.milliseconds(300)
        /// After so much silence nobody is shown as speaking.
        package var silence = Duration.seconds(3)
        /// Voices whose levels are only said that may take places from others whose levels are known.
        package var unproven = 2
        /// Most senders that are followed; further ones are refused and counted.
        package var capacity = 2_000
        package init() {}
    }

    private struct Voice: Sendable {
        var id: ID
        var smoothed: Float = -127
        var reported: Float?
        var lastReport: Instant
        var lastHeard: Instant?
        /// Whose voice it is, of which others may be; 0 where it stands for itself.
        var owner: UInt
        /// What it says of its level was measured.
        var isProven: Bool
        var isSelected = false
        /// Chosen in this round.
        var isTaken = false
    }

    private let settings: Settings
    private var voices: [Voice] = []
    private var places: [ID: Int] = [:]
    /// Of those taken in this round.
    private var owners: [UInt] = []
    private var candidate: (id: ID, since: Instant)?
    private var activeSince = Instant.start
    /// Who is shown as speaking.
    package private(set) var active: ID?
    package private(set) var refused: UInt64 = 0

    package init(_ settings: Settings = Settings()) { self.settings = settings }

    /// The level of a packet that came, or of a tick that was decoded: −127 … 0 dBov. The loudest of a tick counts.
    /// - Parameters:
    ///   - owner: voices of one owner have one place between them while anybody else speaks; 0 for a voice that stands for itself.
    ///   - isProven: the level was measured, or what is said was found to be true.
    package mutating func report(_ id: ID, level: Int, owner: UInt = 0, isProven: Bool = true, now: Instant) {
        if let place = places[id] {
            voices[place].reported = max(voices[place].reported ?? -127, Float(level))
            voices[place].lastReport = now
            voices[place].isProven = isProven
            return
        }
        guard voices.count < settings.capacity else { return refused &+= 1 }
        places[id] = voices.count
        voices.append(Voice(id: id, reported: Float(level), lastReport: now, owner: owner, isProven: isProven))
    }

    package mutating func remove(_ id: ID) {
        guard let place = places.removeValue(forKey: id) else { return }
        voices.swapAt(place, voices.count - 1)
        voices.removeLast()
        if place < voices.count { places[voices[place].id] = place }
        if active == id { active = nil }
        if candidate?.id == id { candidate = nil }
    }

    /// Once a tick (20 ms): who is heard now, the floor holder first, then by loudness.
    /// - Parameters:
    ///   - floor: who has been given the floor; heard and shown even while silent, provided that a level was ever reported.
    ///   - selected: replaced; at most `seats` long.
    package mutating func select(now: Instant, floor: ID? = nil, into selected: inout [ID]) {
        smooth(now: now)
        selected.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
        for place in voices.indices { voices[place].isTaken = false }
        if let floor, let place = places[floor] { take(place, &selected) }
        fill(&selected, oneEach: true, now: now)
        // Where one owner's voices are all that there is to hear, nobody is kept from being heard by them.
        if selected.count == 1, owners.count == 1 { fill(&selected, oneEach: false, now: now) }
        for place in voices.indices { voices[place].isSelected = voices[place].isTaken }
        chooseActive(among: selected, now: now)
    }

    /// The smoothed level, dBov; nil for one never heard of.
    package func level(of id: ID) -> Int? { places[id].map { Int(voices[$0].smoothed.rounded()) } }

    private mutating func smooth(now: Instant) {
        for place in voices.indices {
            // A missing packet is not silence yet: only a sender that is quiet for 100 ms is.
            let isAbsent = now - voices[place].lastReport > .milliseconds(100)
            guard let level = voices[place].reported ?? (isAbsent ? -127 : nil) else { continue }
            voices[place].reported = nil
            let old = voices[place].smoothed
            // Up at once but for the last 12 dB, so that the first syllable is heard; down slowly.
            voices[place].smoothed = level > old ? max(old + (level - old) * 0.5, level - 12) : old + (level - old) * 0.06
            if level > settings.threshold { voices[place].lastHeard = now }
        }
    }

    private func isAudible(_ voice: Voice, now: Instant) -> Bool {
        guard let heard = voice.lastHeard else { return false }
        return voice.isSelected ? now - heard <= settings.hold : voice.smoothed > settings.threshold
    }

    private mutating func take(_ place: Int, _ selected: inout [ID]) {
        voices[place].isTaken = true
        selected.append(voices[place].id)
        if voices[place].owner != 0 { owners.append(voices[place].owner) }
    }

    /// Anybody can say that it is loud: few places go by words alone while there are voices whose levels are known.
    private mutating func fill(_ selected: inout [ID], oneEach: Bool, now: Instant) {
        var unproven = selected.count { id in places[id].map { !voices[$0].isProven } ?? false }
        while selected.count < settings.seats {
            let provenOnly = unproven >= settings.unproven
            guard let place = loudest(now: now, provenOnly: provenOnly, oneEach: oneEach) else {
                guard provenOnly else { return }
                // Those whose levels are known have their places; the rest is for whoever there is.
                unproven = .min
                continue
            }
            if !voices[place].isProven { unproven += 1 }
            take(place, &selected)
        }
    }

    /// - Parameter oneEach: owners that have a place get no further one.
    private func loudest(now: Instant, provenOnly: Bool, oneEach: Bool) -> Int? {
        var best: (place: Int, score: Float)?
        for place in voices.indices where !voices[place].isTaken && isAudible(voices[place], now: now) {
            if provenOnly, !voices[place].isProven { continue }
            if oneEach, voices[place].owner != 0, owners.contains(voices[place].owner) { continue }
            let score = voices[place].smoothed + (voices[place].isSelected ? settings.advantage : 0)
            if score > best?.score ?? -.infinity { best = (place, score) }
        }
        return best?.place
    }

    private mutating func chooseActive(among selected: [ID], now: Instant) {
        var loudest: (id: ID, level: Float, isProven: Bool)?
        for id in selected {
            guard let place = places[id], voices[place].smoothed > settings.threshold else { continue }
            let voice = voices[place]
            // One whose level is known goes before one who only says it.
            let isBetter = loudest.map { voice.isProven == $0.isProven ? voice.smoothed > $0.level : voice.isProven } ?? true
            if isBetter { loudest = (id, voice.smoothed, voice.isProven) }
        }
        let heard = active.flatMap { places[$0] }.flatMap { voices[$0].lastHeard }
        guard let loudest else {
            candidate = nil
            if let heard, now - heard > settings.silence { active = nil }
            return
        }
        guard let active, let place = places[active] else { return show(loudest.id, now: now) }
        let isLouder = loudest.level > voices[place].smoothed + settings.advantage / 2
        guard loudest.id != active, isLouder else { return candidate = nil }
        if candidate?.id != loudest.id { candidate = (loudest.id, now) }
        guard let since = candidate?.since, now - since >= settings.proof, now - activeSince >= settings.hold else { return }
        show(loudest.id, now: now)
    }

    private mutating func show(_ id: ID, now: Instant) { (active, activeSince, candidate) = (id, now, nil) }
}
