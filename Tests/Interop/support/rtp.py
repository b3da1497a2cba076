"""RTP and RTCP packets by hand (RFC 3550, 4585, 5104, 8285), and the payloads of an IVF file (RFC 7741) and of Opus."""

import struct
from pathlib import Path


def rtp(payload, sequence, timestamp, ssrc, payload_type, marker=False, profile=None, extension=b""):
    """A plain packet. `extension` is the whole block without its head, of four-byte words."""
    first = 0x80 | (0x10 if profile is not None else 0)
    head = struct.pack("!BBHII", first, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    if profile is not None:
        head += struct.pack("!HH", profile, len(extension) // 4) + extension
    return head + payload


def one_byte_extension(*elements):
    """`(id, bytes)` as RFC 8285 §4.2 has it, padded to words."""
    block = b"".join(bytes([number << 4 | len(value) - 1]) + value for number, value in elements)
    return block + bytes(-len(block) % 4)


class Packet:
    """A plain RTP packet, taken apart."""

    def __init__(self, data):
        self.data = data
        first, second, self.sequence, self.timestamp, self.ssrc = struct.unpack_from("!BBHII", data)
        self.marker, self.payload_type = bool(second & 0x80), second & 0x7F
        start = 12 + 4 * (first & 15)
        if first & 0x10:
            start += 4 + 4 * struct.unpack_from("!H", data, start + 2)[0]
        self.payload = data[start: len(data) - (data[-1] if first & 0x20 else 0)]

    @property
    def starts_key_frame(self):
        """Of a VP8 payload: the first packet of a key frame."""
        size = vp8_descriptor_size(self.payload)
        return len(self.payload) > size and bool(self.payload[0] & 0x10) and not self.payload[0] & 7 and not self.payload[size] & 1

    @property
    def picture_size(self):
        """Of a packet that starts a key frame."""
        frame = self.payload[vp8_descriptor_size(self.payload):]
        return struct.unpack_from("<H", frame, 6)[0] & 0x3FFF, struct.unpack_from("<H", frame, 8)[0] & 0x3FFF


def vp8_descriptor_size(payload):
    size = 1
    if payload and payload[0] & 0x80:
        bits, size = payload[1], 2
        if bits & 0x80:
            size += 2 if payload[size] & 0x80 else 1
        size += bool(bits & 0x40) + bool(bits & 0x30)
    return size


def receiver_report(sender, *blocks):
    """A block is `(ssrc, fraction, lost, highest, jitter)`."""
    body = b"".join(struct.pack("!IIIIII", ssrc, fraction << 24 | lost & 0xFFFFFF, highest, jitter, 0, 0) for ssrc, fraction, lost, highest, jitter in blocks)
    return struct.pack("!BBHI", 0x80 | len(blocks), 201, 1 + len(body) // 4, sender) + body


def sender_report(sender, timestamp, packets=1, octets=1):
    return struct.pack("!BBHIQIII", 0x80, 200, 6, sender, 0xE000_0000 << 32, timestamp, packets, octets)


def bye(*sources):
    return struct.pack("!BBH", 0x80 | len(sources), 203, len(sources)) + b"".join(struct.pack("!I", one) for one in sources)


def nack(sender, media, numbers):
    pairs, numbers = [], sorted(numbers)
    while numbers:
        first, mask = numbers[0], 0
        rest = [one for one in numbers[1:] if one - first > 16]
        for one in numbers[1:]:
            if one - first <= 16:
                mask |= 1 << (one - first - 1)
        pairs.append(struct.pack("!HH", first & 0xFFFF, mask))
        numbers = rest
    return struct.pack("!BBHII", 0x81, 205, 2 + len(pairs), sender, media) + b"".join(pairs)


def picture_loss(sender, media):
    return struct.pack("!BBHII", 0x81, 206, 2, sender, media)


def full_intra_request(sender, media, number):
    return struct.pack("!BBHIIIBBH", 0x84, 206, 4, sender, 0, media, number & 0xFF, 0, 0)


def remb(sender, bits_per_second, *sources):
    exponent = max(0, bits_per_second.bit_length() - 18)
    body = b"REMB" + struct.pack("!I", len(sources) << 24 | exponent << 18 | bits_per_second >> exponent)
    body += b"".join(struct.pack("!I", one) for one in sources)
    return struct.pack("!BBHII", 0x8F, 206, 2 + len(body) // 4, sender, 0) + body


def ivf_frames(path):
    """Yields `(milliseconds, frame)`."""
    data = Path(path).read_bytes()
    rate, scale = struct.unpack_from("<II", data, 16)
    at = struct.unpack_from("<H", data, 6)[0]
    while at + 12 <= len(data):
        size, time = struct.unpack_from("<IQ", data, at)
        yield time * 1000 * scale / rate, data[at + 12: at + 12 + size]
        at += 12 + size


def vp8_payloads(frame, size=1100):
    """The payloads of one frame; the last goes with the marker."""
    parts = [frame[at: at + size] for at in range(0, len(frame), size)] or [b""]
    return [bytes([0x10 if index == 0 else 0]) + part for index, part in enumerate(parts)]


def opus_packets(samples, channels=1, bits_per_second=32_000):
    """Real Opus: `samples` are 16 bit, 48 kHz, interleaved. One packet each 20 ms."""
    import av
    import numpy

    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.layout = 48_000, "s16", "stereo" if channels == 2 else "mono"
    encoder.bit_rate, encoder.options = bits_per_second, {"application": "audio", "frame_duration": "20"}
    samples = numpy.asarray(samples, dtype=numpy.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo" if channels == 2 else "mono")
    frame.sample_rate = 48_000
    resampler = av.AudioResampler(format="s16", layout=encoder.layout, rate=48_000, frame_size=960)
    packets = []
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        packets += [bytes(packet) for packet in encoder.encode(part)]
    return packets + [bytes(packet) for packet in encoder.encode(None)]


def tone(hertz, seconds, level=0.3):
    """Samples for `opus_packets`."""
    import numpy

    return (numpy.sin(numpy.arange(int(48_000 * seconds)) * 2 * numpy.pi * hertz / 48_000) * level * 32_767).astype(numpy.int16)


def loudness_at(packets, hertz, skip=5):
    """Decodes Opus packets and gives the share of a tone in dB below full scale (-120 where there is none)."""
    import av
    import numpy

    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = 48_000
    sound = []
    for packet in packets[skip:]:
        for frame in decoder.decode(av.Packet(packet)):
            samples = frame.to_ndarray().astype(float) / (32_768 if frame.format.name.startswith("s16") else 1)
            sound.append(samples.mean(axis=0) if frame.format.is_planar else samples.reshape(-1, len(frame.layout.channels)).mean(axis=1))
    if not sound:
        return -120.0
    sound = numpy.concatenate(sound)
    wave = numpy.exp(-2j * numpy.pi * hertz * numpy.arange(len(sound)) / 48_000)
    share = 2 * abs((sound * wave * numpy.hanning(len(sound)) * 2).mean())
    return 20 * numpy.log10(max(share, 1e-6))
