"""What was heard beside what was said: how late, how whole, how well understood. Times are ms of the wall clock."""

from dataclasses import dataclass

import numpy

#: Judged at this rate; everything is recorded at three times it.
RATE = 16_000
RECORDED = 48_000
#: A segment of speech that is looked for, and how far apart segments are.
SEGMENT, HOP = int(0.4 * RATE), int(0.1 * RATE)
#: Windows of which the heard sound is laid anew on the said one's time.
STEP = int(0.04 * RATE)
FRAME = RATE // 100
#: Alike enough for the same speech.
ALIKE = 0.35


@dataclass
class Sound:
    """Samples at `RATE`, and the wall clock at every hundredth second of them; None where nobody looked at it."""

    samples: numpy.ndarray
    times: numpy.ndarray | None

    def time(self, sample):
        place = min(max(0, int(sample) // FRAME), len(self.times) - 1)
        return self.times[place] + (sample - place * FRAME) * 1000 / RATE


def thinned(samples):
    """48 kHz to 16 kHz."""
    at = numpy.arange(-48, 49)
    taps = numpy.sinc(at / 3 * 0.94) * numpy.blackman(len(at))
    return numpy.convolve(samples, taps / taps.sum(), "same")[::3]


def recorded(samples, stamps):
    """Of the page's `tap`: 16-bit samples in blocks of 10 ms, and for each block [our time, its own time in µs, frames, rate]."""
    stamps = numpy.asarray(stamps, dtype=float)
    if not (stamps[:, 2] == RECORDED // 100).all() or not (stamps[:, 3] == RECORDED).all():
        raise ValueError("blocks that are not 10 ms at 48 kHz")
    # Blocks come late, never early: the least lag of a block behind its own clock is the difference of the clocks.
    own = stamps[:, 1] / 1000
    own += numpy.min(stamps[:, 0] - own)
    # A thread that was late hands over several at once. Within half a second the earliest says where the clock stands.
    lead = own - numpy.arange(len(own)) * 10.0
    wide = numpy.pad(lead, 25, mode="edge")
    lead = numpy.min(numpy.lib.stride_tricks.sliding_window_view(wide, 51), axis=1)
    samples = numpy.frombuffer(samples, dtype="<i2").astype(float) / 32_768
    return Sound(thinned(samples), lead + numpy.arange(len(own)) * 10.0)


def clock_steps(sound):
    """ms by which the recording's clock left its line at once, by more than 15 ms: a machine that was too busy, so what is measured is disturbed."""
    lead = sound.times - numpy.arange(len(sound.times)) * 10.0
    steps = numpy.abs(numpy.diff(lead))
    return float(steps[steps > 15].sum())


def loudness(samples):
    """Of each hundredth second, in dB."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return 10 * numpy.log10((frames**2).mean(axis=1) + 1e-10)


def speaking(samples):
    """The hundredths of a second in which somebody speaks."""
    levels = loudness(samples)
    return levels > numpy.percentile(levels, 95) - 35


def likeness(segment, window):
    """Normalised cross-correlation of a segment with each place of a longer window."""
    size = 1 << int(numpy.ceil(numpy.log2(len(window) + len(segment))))
    product = numpy.fft.irfft(numpy.fft.rfft(window, size) * numpy.conj(numpy.fft.rfft(segment, size)), size)[: len(window) - len(segment) + 1]
    energy = numpy.concatenate([[0], numpy.cumsum(window**2)])
    energy = energy[len(segment):] - energy[: len(window) - len(segment) + 1]
    return product / numpy.sqrt(numpy.maximum(energy, 1e-6) * max(1e-6, (segment**2).sum()))


def peaks(values, most=6, apart=RATE // 500):
    """The best places, a few ms apart, the best first."""
    values = values.copy()
    found = []
    for _ in range(most):
        place = int(numpy.argmax(values))
        if values[place] < ALIKE:
            break
        found.append((place, float(values[place])))
        values[max(0, place - apart): place + apart + 1] = -1
    return found


def follow(candidates):
    """Through the candidates `[(lag, likeness), …]` of each segment the course that is alike and does not jump about without need."""
    costs, backs = [numpy.array([1 - like for _, like in candidates[0]])], []
    for last, these in zip(candidates, candidates[1:]):
        jumps = numpy.abs(numpy.array([[lag - before for before, _ in last] for lag, _ in these])) / RATE
        total = costs[-1] + numpy.where(jumps > 0.001, 0.05 + numpy.minimum(0.3, jumps * 3), 0)
        backs.append(total.argmin(axis=1))
        costs.append(total.min(axis=1) + numpy.array([1 - like for _, like in these]))
    choice = [int(costs[-1].argmin())]
    for back in reversed(backs):
        choice.append(int(back[choice[-1]]))
    return [these[index][0] for these, index in zip(candidates, reversed(choice))]


def lags(said, heard, guess, reach):
    """Where in `heard` the segments of `said` are: places, and lags in samples. `guess` says for a place where to begin looking, `reach` how far."""
    spoken = speaking(said)
    places, candidates = [], []
    for place in range(0, len(said) - SEGMENT, HOP):
        if spoken[place // FRAME: (place + SEGMENT) // FRAME].mean() < 0.4:
            continue
        start = max(0, guess(place))
        window = heard[start: start + SEGMENT + reach]
        if len(window) <= SEGMENT:
            continue
        found = peaks(likeness(said[place: place + SEGMENT], window))
        if found:
            places.append(place)
            candidates.append([(start + offset - place, like) for offset, like in found])
    return supported(numpy.array(places), numpy.array(follow(candidates) if candidates else []))


def supported(places, found):
    """Without segments that nothing near them bears out: silence is a little like everything."""
    first, last = numpy.searchsorted(places, places - 4 * HOP), numpy.searchsorted(places, places + 4 * HOP, "right")
    alike = [(numpy.abs(found[begin:end] - lag) < 0.06 * RATE).sum() for begin, end, lag in zip(first, last, found)]
    kept = numpy.array(alike, int) >= 3
    return places[kept], found[kept]


def cued(loop, heard):
    """Of a sound that is said over and over the part that was heard."""
    tiled = numpy.tile(loop, 2 + len(heard) // len(loop))
    best = (0.0, 0)
    for start in range(0, len(heard) - 2 * RATE, 2 * RATE):
        piece = heard[start: start + 2 * RATE]
        place, like = (peaks(likeness(piece, tiled[: len(loop) + 2 * RATE]), most=1) or [(0, 0.0)])[0]
        best = max(best, (like, (place - start) % len(loop)))
    return tiled[best[1]: best[1] + len(heard)]


def laid_anew(said, heard, places, found):
    """`heard` on the time of `said`: windows that overlap, each from where its speech is."""
    centres = places + SEGMENT // 2
    at = numpy.arange(0, len(said), STEP)
    lag = numpy.interp(at, centres, found)
    # A delay that jumps does so at once; one that glides is a sound that was stretched.
    nearest = found[numpy.rint(numpy.interp(at, centres, numpy.arange(len(centres)))).astype(int)]
    lag = numpy.where(numpy.abs(lag - nearest) < 0.015 * RATE, lag, nearest).astype(int)
    window = numpy.hanning(2 * STEP + 1)[:-1]
    padded = numpy.concatenate([numpy.zeros(4 * RATE), heard, numpy.zeros(4 * RATE)])
    anew = numpy.zeros(len(said) + 2 * STEP)
    for place, one in zip(at, lag):
        start = min(max(0, place - STEP + one + 4 * RATE), len(padded) - 2 * STEP)
        anew[place: place + 2 * STEP] += window * padded[start: start + 2 * STEP]
    return anew[STEP: STEP + len(said)]


def holes(said, anew, places):
    """For each hundredth second: whether somebody speaks, and whether then next to nothing is heard. `places` are segments that were."""
    spoken, levels, heard = speaking(said), loudness(said), loudness(anew)
    count = min(len(spoken), len(heard))
    spoken, levels, heard = spoken[:count], levels[:count], heard[:count]
    found = numpy.zeros(count, bool)
    for place in places // FRAME:
        found[place: place + SEGMENT // FRAME] = True
    gain = numpy.median((heard - levels)[spoken & found]) if (spoken & found).any() else 0
    return spoken, spoken & (heard < levels + gain - 25)


def longest(flags, spoken):
    """ms of the longest run of holes; pauses neither end nor count."""
    most = run = 0
    for flag, speaks in zip(flags, spoken):
        if speaks:
            run = run + 1 if flag else 0
            most = max(most, run)
    return most * 10


def judge(said, heard, since, until, trouble=None, blind=None):
    """`said` and `heard` are `Sound`s; `since`, `until`, `trouble` and `blind` (begin, end) are wall clock in ms. Where `said` has no clock
    it is looked for in all that was heard, and delays are not told. What lies in `blind` is neither understood nor missed."""
    has_clock = said.times is not None
    if has_clock:
        first = int(numpy.searchsorted(said.times, since)) * FRAME
        last = int(numpy.searchsorted(said.times, until - 2_000)) * FRAME
        part = said.samples[first:last]

        def guess(place):
            return int(numpy.searchsorted(heard.times, said.time(first + place) - 100)) * FRAME

        places, found = lags(part, heard.samples, guess, reach=3 * RATE)
    else:
        first, last = (int(numpy.searchsorted(heard.times, moment)) * FRAME for moment in (since, until))
        heard = Sound(heard.samples[first:last], heard.times[first // FRAME: last // FRAME])
        part = cued(said.samples, heard.samples)
        places, found = lags(part, heard.samples, lambda place: place - RATE, reach=2 * RATE)
    if len(places) < 5:
        return nothing(until - since, trouble) | {"segments": len(places)}
    anew = laid_anew(part, heard.samples, places, found)
    spoken, missing = holes(part, anew, places)
    count = len(spoken)
    # A loop that was found where it was heard has the times of that.
    clock, offset = (said, first) if has_clock else (heard, 0)
    frames = numpy.array([clock.time(offset + frame * FRAME) for frame in range(count)])
    open_eyed = (frames < blind[0]) | (frames > blind[1]) if blind else numpy.ones(count, bool)
    seen = numpy.repeat(open_eyed, FRAME)
    result = {
        "holes": float(100 * missing[open_eyed].sum() / max(1, spoken[open_eyed].sum())), "gap": float(longest(missing[open_eyed], spoken[open_eyed])),
        "silent": float(longest(missing, spoken)), "segments": len(places), "ear": None,
        **understood(part[: len(seen)][seen], anew[: len(seen)][seen]),
    }
    if has_clock:
        moments = numpy.array([said.time(first + place + SEGMENT // 2) for place in places])
        delays = numpy.array([heard.time(first + place + SEGMENT // 2 + lag - first) for place, lag in zip(places, found)]) - moments
        usual = delays[(moments < blind[0]) | (moments > blind[1])] if blind else delays
        usual = usual if len(usual) else delays
        quarter = max(1, len(usual) // 4)
        result |= {
            "ear": float(numpy.median(usual)), "ear95": float(numpy.percentile(usual, 95)),
            "grows": float(numpy.median(usual[-quarter:]) - numpy.median(usual[:quarter])), "disturbed": clock_steps(heard) + clock_steps(said),
            "course": [[round((moment - since) / 1000, 1), round(delay)] for moment, delay in zip(moments, delays)],
        }
        if trouble:
            result |= after(trouble, moments, delays, frames, spoken, missing)
    elif trouble:
        result["sound_back"] = back(*trouble, frames + numpy.median(found) * 1000 / RATE, spoken, missing)
    return result


def nothing(gap, trouble=None):
    """Of a sound in which nothing was found that was said."""
    never = {"sound_back": None, "delay_back": None} if trouble else {}
    return {"stoi": 0.0, "estoi": 0.0, "holes": 100.0, "gap": float(gap), "ear": None, "segments": 0, **never}


def after(trouble, moments, delays, frames, spoken, missing):
    """How long after the trouble's end the delay is what it was, and speech is heard again; s, None where that never came. `frames` are the times
    of the hundredths of a second in which somebody speaks or is missed."""
    begin, end = trouble
    before = delays[moments < begin]
    usual = float(numpy.median(before)) if len(before) else float(numpy.min(delays))
    late = [moment for moment, delay in zip(moments, delays) if moment >= begin and delay > usual + 40]
    delay_back = max(0.0, (late[-1] - end) / 1000) if late else 0.0
    return {"delay_back": delay_back, "sound_back": back(begin, end, [moment + usual for moment in frames], spoken, missing)}


def back(begin, end, due, spoken, missing):
    """When the silence ends that trouble made: of holes that begin within half a second of it the end of the last, s after the trouble."""
    last, run = end, []
    for moment, speaks, misses in zip(due, spoken, missing):
        if not speaks:
            continue
        if misses:
            run.append(moment)
            continue
        if len(run) >= 6 and begin - 100 <= run[-1] and run[0] <= end + 500:
            last = max(last, moment)
        run = []
    # Speech that is missed to the last is not back.
    return None if len(run) >= 6 and run[0] <= end + 500 else (last - end) / 1000


def understood(said, heard):
    """STOI and ESTOI by pystoi (Taal 2011, Jensen 2016)."""
    from pystoi import stoi

    return {"stoi": float(stoi(said, heard, RATE)), "estoi": float(stoi(said, heard, RATE, extended=True))}
