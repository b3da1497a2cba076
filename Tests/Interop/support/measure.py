"""What is in a sound and in a picture."""

import base64

import numpy

RATE = 48_000


def tone_levels(samples, frequencies):
    """Levels in dBFS of the tones in 16-bit `samples` at 48 kHz. The window's side lobes lie 90 dB below, so tones do not leak into each other."""
    samples = numpy.asarray(samples, dtype=float) / 32768
    window = numpy.blackman(len(samples))
    spectrum = numpy.abs(numpy.fft.rfft(samples * window)) * 2 / window.sum()
    width = RATE / len(samples)
    levels = {}
    for frequency in frequencies:
        near = spectrum[int((frequency - 4) / width) : int((frequency + 4) / width) + 2]
        levels[frequency] = 20 * numpy.log10(near.max() + 1e-9)
    return levels


def picture_of(frame):
    """Rows, columns, RGB of what `client.frame()` gave."""
    rgba = numpy.frombuffer(base64.b64decode(frame["rgba"]), dtype=numpy.uint8)
    return rgba.reshape(180, 320, 4)[:, :, :3].astype(int)


def in_company(lines):
    """Which of some rows or columns are set, and have a neighbour that is."""
    edged = numpy.pad(lines, 1)
    return lines & (edged[:-2] | edged[2:])


def places_of_colours(picture, colours, tolerance=70):
    """Where each colour fills a rectangle: `{colour: (left, top, right, bottom, filled)}`, in the picture's pixels, `filled` the part of it that has
    the colour. A colour that is not there is left out. Rows and columns count where enough of them have the colour, so stray pixels do not, and where one
    beside them does too: at an edge two colours blend, for one row or column, into what may be near a third."""
    named = {colour: numpy.array([int(colour[at : at + 2], 16) for at in (0, 2, 4)]) for colour in colours}
    distance = {colour: numpy.abs(picture - value).max(axis=2) for colour, value in named.items()}
    places = {}
    for colour, away in distance.items():
        has = away < tolerance
        columns, rows = (numpy.flatnonzero(in_company(has.sum(axis=axis) > least)) for axis, least in ((0, 12), (1, 20)))
        if not len(columns) or not len(rows):
            continue
        box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        places[colour] = (*map(int, box), float(has[box[1] : box[3], box[0] : box[2]].mean()))
    return places


def overlap(one, other):
    """Pixels that two places share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)
