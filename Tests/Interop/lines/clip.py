"""A clip of numbered pictures for senders that are no browser: the cells that `client.js` paints and reads."""

import struct
from fractions import Fraction

import numpy

COLUMNS, ROWS, BITS = 5, 3, 12
LEFT, TOP, WIDTH, HEIGHT = 0.25, 0.2, 0.5, 0.6
PICTURES = 250


def cells(number):
    bits = [1, 0, *((number >> bit) & 1 for bit in range(BITS))]
    return bits + [sum(bits) % 2]


def picture(number, width, height, room):
    """The luminance of one: a room that moves about, and the number in the middle of it."""
    turn = number * 2 * numpy.pi / PICTURES
    across, down = int(40 + 38 * numpy.sin(turn)), int(40 + 38 * numpy.cos(2 * turn))
    plane = room[down: down + height, across: across + width].copy()
    for index, bit in enumerate(cells(number)):
        column, row = index % COLUMNS, index // COLUMNS
        left, top = (int(width * (LEFT + column * WIDTH / COLUMNS)), int(height * (TOP + row * HEIGHT / ROWS)))
        plane[top: top + int(height * HEIGHT / ROWS) + 1, left: left + int(width * WIDTH / COLUMNS) + 1] = 235 if bit else 16
    return plane


def room(width, height):
    """Soft shapes with a grain, larger than the picture by what it moves."""
    draw = numpy.random.default_rng(7)
    coarse = draw.uniform(60, 190, ((height + 80) // 20 + 2, (width + 80) // 20 + 2))
    rows, columns = numpy.arange(height + 80) / 20, numpy.arange(width + 80) / 20
    r, c = rows.astype(int), columns.astype(int)
    fr, fc = (rows - r)[:, None], (columns - c)[None, :]
    soft = (coarse[r][:, c] * (1 - fr) + coarse[r + 1][:, c] * fr) * (1 - fc) + (coarse[r][:, c + 1] * (1 - fr) + coarse[r + 1][:, c + 1] * fr) * fc
    return numpy.clip(soft + draw.normal(0, 5, soft.shape), 16, 235).astype(numpy.uint8)


def write(path, width=640, height=360, bits_per_second=600_000):
    """An IVF of VP8, 25 pictures/s, 10 s, that can be shown in a loop."""
    import av

    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, 25), 25, bits_per_second
    encoder.gop_size = 63
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "error-resilient": "1", "lag-in-frames": "0"}
    backdrop = room(width, height)
    packets = []
    for number in range(PICTURES):
        frame = av.VideoFrame(width, height, "yuv420p")
        luminance = picture(number, width, height, backdrop)
        for plane, values in zip(frame.planes, (luminance, *(numpy.full((height // 2, width // 2), 128, numpy.uint8) for _ in range(2)))):
            rows = numpy.zeros((values.shape[0], plane.line_size), numpy.uint8)
            rows[:, : values.shape[1]] = values
            plane.update(rows)
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", width, height, 25, 1, len(packets), 0))
        for packet in packets:
            data = bytes(packet)
            file.write(struct.pack("<IQ", len(data), packet.pts) + data)
