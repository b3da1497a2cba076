import Audio

/// One way in which a mix is encoded: what a listener's tier asks for, within the class that it negotiated. There are `count` of them, whatever listeners do.
struct SoundForm: Equatable, Sendable {
    /// For those who set no limit, one for each tier; then for each class with a limit one without and one with error correction.
    static let count = SoundTier.allCases.count + 2 * (SoundClass.count - 1)
    /// 0 ..< `count`.
    let index: Int

    init(index: Int) { self.index = min(max(0, index), Self.count - 1) }

    /// - Parameter mostTicks: 20 ms each that one packet may have (a=maxptime, RFC 8866 §6.4).
    init(_ tier: SoundTier, _ soundClass: SoundClass = .full, mostTicks: Int = 6) {
        let free = SoundForm(index: tier.rawValue)
        let repairs = tier != .clean
        guard free.ticks > 1 else {
            index = soundClass.isLimited ? Self.limited(soundClass, repairs: repairs) : free.index
            return
        }
        // A class may have no more bits than the tier anyway, or less sound than the tier would spend on; and long packets may be unwelcome.
        let isWithin = soundClass.bitsPerSecond > free.bitsPerSecond && soundClass.bandwidth.rawValue >= free.bandwidth.rawValue
        if isWithin || !soundClass.isLimited, mostTicks >= free.ticks {
            index = free.index
        } else {
            index = Self.limited(SoundClass(index: max(soundClass.index, tier == .thin || tier == .thinLossy ? 3 : 4)), repairs: true)
        }
    }

    private static func limited(_ soundClass: SoundClass, repairs: Bool) -> Int {
        SoundTier.allCases.count + 2 * (soundClass.index - 1) + (repairs ? 1 : 0)
    }

    static let clean = SoundForm(.clean)

    /// nil where a class with a limit decides.
    private var tier: SoundTier? { SoundTier(rawValue: index) }
    /// What the average must not pass, where a listener said so.
    var limit: SoundClass? { tier == nil ? SoundClass(index: (index - SoundTier.allCases.count) / 2 + 1) : nil }

    var bitsPerSecond: Int {
        switch tier {
        case .clean, .repairing, .lossy: 48_000
        case .thin, .thinLossy: 24_000
        case .thinnest, .thinnestLossy: 16_000
        // A little below the limit, so that the budget cuts into few packets.
        case nil: (limit ?? .full).bitsPerSecond * 9 / 10
        }
    }

    var bandwidth: OpusEncoder.Bandwidth {
        switch tier {
        case .clean, .repairing, .lossy: .full
        // Above it Opus makes a packet of several frames, of which only the first is recovered from the next packet.
        case .thin, .thinLossy, .thinnest, .thinnestLossy: .wide
        case nil: (limit ?? .full).bandwidth
        }
    }

    /// Ticks of 20 ms in a packet.
    var ticks: Int {
        switch tier {
        case .thin, .thinLossy: 2
        case .thinnest, .thinnestLossy: 3
        case .clean, .repairing, .lossy, nil: 1
        }
    }

    /// For Opus's speech mode, which does better where bits are few and alone corrects errors. The low-delay mode does as well for a third of the work elsewhere.
    var isSpeech: Bool { tier != .clean }

    /// What the in-band error correction is measured for; 0 for none. Of 16 kbit/s libopus gives it something from 20 % on, and then by less bandwidth.
    var expectedLossPercent: Int32 {
        switch tier {
        case .clean: 0
        case .repairing: 5
        case .lossy: 20
        case .thin, .thinnest: 0
        case .thinLossy: 10
        case .thinnestLossy: 25
        case nil: (index - SoundTier.allCases.count) % 2 == 1 ? 5 : 0
        }
    }

    /// Packets are made with their predecessors before them (RFC 2198), for those who take that.
    var isRedundant: Bool { tier == .lossy }

    /// What does as well in this listener's class where nobody encodes this one at the moment.
    var sibling: SoundForm {
        switch tier {
        case .clean: return SoundForm(.repairing)
        case .repairing, .lossy: return SoundForm(.clean)
        case .thin: return SoundForm(.thinLossy)
        case .thinLossy: return SoundForm(.thin)
        case .thinnest: return SoundForm(.thinnestLossy)
        case .thinnestLossy: return SoundForm(.thinnest)
        case nil: break
        }
        let place = index - SoundTier.allCases.count
        return SoundForm(index: SoundTier.allCases.count + place + (place % 2 == 0 ? 1 : -1))
    }
}
