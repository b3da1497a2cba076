import Audio
import Base
import Foundation

/// Opus packets in a loop, made once and shared by all endpoints that send the same.
package final class EncodedSound: Sendable {
    /// Longest file that is read, 16 MiB.
    static let mostBytes = 16 << 20
    let packets: [[UInt8]]
    /// Samples of each at 48 kHz.
    let durations: [Int]
    /// How loud each is, dBov, −127 … 0.
    let levels: [Int]
    /// Where each begins in the loop, in samples.
    let starts: [Int]
    /// The loop is tied to the machine's clock: its first packet belongs to the beginning of a second.
    let isAligned: Bool

    /// What a packet has besides its payload: IPv4, UDP, RTP with its extensions, the seal.
    static let headerBytes = 72
    /// On the line, headers included, over the whole loop.
    var lineBitsPerSecond: Int {
        let bytes = packets.reduce(0) { $0 + ($1.isEmpty ? 0 : $1.count + Self.headerBytes) }
        return Int(Double(bytes * 8) * 48_000 / Double(max(1, durations.reduce(0, +))))
    }

    private init(packets: [[UInt8]], durations: [Int], isAligned: Bool = false) throws(OpusError) {
        (self.packets, self.durations, self.isAligned) = (packets, durations, isAligned)
        var start = 0
        starts = durations.map { duration in
            defer { start += duration }
            return start
        }
        levels = try Self.measure(packets)
    }

    /// The levels as a listener would hear them.
    private static func measure(_ packets: [[UInt8]]) throws(OpusError) -> [Int] {
        var decoder = try OpusDecoder()
        var pcm = [Int16](repeating: 0, count: AudioFormat.mostSamplesPerPacket)
        var levels: [Int] = []
        for packet in packets {
            guard !packet.isEmpty else {
                levels.append(AudioLevel.silence)
                continue
            }
            var room = pcm.mutableSpan
            // A packet that is no Opus is for the server to refuse; it says nothing here.
            let count = (try? decoder.decode(packet.span.bytes, into: &room)) ?? 0
            levels.append(AudioLevel.decibels(of: pcm.span.extracting(0..<count)))
        }
        return levels
    }

    /// Samples of a loop that are decoded at once to be encoded anew: ten minutes, 58 MB.
    private static let longestThinned = 600 * AudioFormat.sampleRate

    /// The packet that begins there; nil where none does.
    /// - Parameter start: samples from the beginning of the loop.
    func packet(at start: Int) -> Int? {
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] < start { low = middle + 1 } else { high = middle }
        }
        return low < starts.count && starts[low] == start ? low : nil
    }

    /// The same sound for a line that carries little more: 16 kbit/s in packets of 60 ms, which with all headers are 27 kbit/s.
    /// - Returns: nil where the packets are no multiples of 20 ms, marks whose moment counts, or more than `longestThinned`.
    func thinned() throws(OpusError) -> EncodedSound? {
        let tick = AudioFormat.samplesPerTick
        guard !isAligned, durations.reduce(0, +) <= Self.longestThinned else { return nil }
        guard durations.allSatisfy({ $0 > 0 && $0 % tick == 0 && $0 <= 3 * tick }) else { return nil }
        var pcm: [Int16] = []
        var decoder = try OpusDecoder()
        var room = [Int16](repeating: 0, count: AudioFormat.mostSamplesPerPacket)
        for (packet, duration) in zip(packets, durations) {
            var place = room.mutableSpan
            // As in `measure`: what is no Opus is silence here.
            let count = packet.isEmpty ? 0 : (try? decoder.decode(packet.span.bytes, into: &place)) ?? 0
            pcm += (0..<duration).map { $0 < count ? room[$0] : 0 }
        }
        var settings = OpusEncoder.Settings()
        (settings.application, settings.bitsPerSecond, settings.bandwidth) = (.voip, 16_000, .wide)
        (settings.sendsForwardErrorCorrection, settings.expectedLossPercent) = (false, 0)
        var encoder = try OpusEncoder(settings)
        var (packets, durations): ([[UInt8]], [Int]) = ([], [])
        var packet = [UInt8](repeating: 0, count: AudioFormat.mostBytesPerFrame)
        var index = 0
        for start in stride(from: 0, to: pcm.count, by: 3 * tick) {
            let end = min(pcm.count, start + 3 * tick)
            var place = packet.mutableSpan
            let written = try encoder.encode(pcm.span.extracting(start..<end), into: &place)
            var isSilent = true
            while index < starts.count, starts[index] < end {
                isSilent = isSilent && self.packets[index].isEmpty
                index += 1
            }
            packets.append(isSilent ? [] : Array(packet[..<written]))
            durations.append(end - start)
        }
        return try EncodedSound(packets: packets, durations: durations)
    }

    /// - Returns: nil where nothing is to be sent.
    package static func make(_ sound: EndpointOptions.Sound) throws(CommandFailure) -> EncodedSound? {
        switch sound {
        case .none: nil
        case .tone(let hertz): try encode(hertz: Double(hertz), isAligned: false) { _ in true }
        case .silence: try encode(hertz: 1_000, isAligned: false, omitsSilence: true) { _ in false }
        case .hum: try encode(hertz: 100, isAligned: false, amplitude: 15) { _ in true }
        case .marks: try encode(hertz: 1_000, isAligned: true) { $0 < 5 }
        case .file(let path): try read(path)
        }
    }

    /// One second, which is a whole number of periods: the loop has no seam.
    private static func encode(
        hertz: Double, isAligned: Bool, amplitude: Double = 8_000, omitsSilence: Bool = false, sounds: (Int) -> Bool
    ) throws(CommandFailure) -> EncodedSound {
        do throws(OpusError) {
            var settings = OpusEncoder.Settings()
            settings.application = isAligned ? .lowDelay : .audio
            settings.bitsPerSecond = 48_000
            if omitsSilence { (settings.application, settings.usesDiscontinuousTransmission) = (.voip, true) }
            var encoder = try OpusEncoder(settings)
            var packets: [[UInt8]] = []
            var packet = [UInt8](repeating: 0, count: AudioFormat.mostBytesPerFrame)
            for index in 0..<100 {  // the first second lets the encoder settle and is thrown away
                let pcm = (0..<AudioFormat.samplesPerTick).map { sample -> Int16 in
                    let time = Double(index % 50 * AudioFormat.samplesPerTick + sample) / Double(AudioFormat.sampleRate)
                    return sounds(index % 50) ? Int16(amplitude * sin(2 * .pi * hertz * time)) : 0
                }
                var room = packet.mutableSpan
                let written = try encoder.encode(pcm.span, into: &room)
                // One or two bytes say that nothing needs to be sent (RFC 6716 §2.1.9).
                if index >= 50 { packets.append(omitsSilence && written <= 2 ? [] : Array(packet[..<written])) }
            }
            return try EncodedSound(
                packets: packets, durations: Array(repeating: AudioFormat.samplesPerTick, count: packets.count), isAligned: isAligned)
        } catch {
            throw CommandFailure(code: ExitCode.software, line: "\(error)")
        }
    }

    private static func read(_ path: String) throws(CommandFailure) -> EncodedSound {
        let bytes = try MediaFile.read(path, atMost: mostBytes)
        let file: OggOpusFile
        do throws(OggError) { file = try OggOpusFile(parsing: bytes.span.bytes) } catch {
            throw .input(path, "not an Ogg Opus file that can be sent: \(error).")
        }
        do throws(OpusError) {
            return try EncodedSound(
                packets: (0..<file.packetCount).map { Array(file[$0]) }, durations: (0..<file.packetCount).map(file.duration(ofPacket:)))
        } catch {
            throw CommandFailure(code: ExitCode.software, line: "\(error)")
        }
    }
}

/// Files that are sent.
package enum MediaFile {
    /// A file of the demonstration, by its name.
    package static func bundled(_ name: String) -> String? {
        Bundle.module.url(forResource: "media/\(name)", withExtension: nil)?.path(percentEncoded: false)
    }

    static func read(_ path: String, atMost limit: Int) throws(CommandFailure) -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw .input(path, "cannot be read. Is the path right?") }
        // It was only read: nothing is lost with it.
        defer { try? handle.close() }
        // The line says all that whoever named the file can act on.
        guard let data = try? handle.read(upToCount: limit + 1) else { throw .input(path, "cannot be read, or is empty.") }
        guard data.count <= limit else { throw .input(path, "is larger than \(limit >> 20) MiB.") }
        return [UInt8](data)
    }
}
