"""What was seen: numbered pictures, when each was painted and when it came. Times are ms of the wall clock."""

import numpy

FREEZE = 500
#: Numbers on pictures come again after so many.
NUMBERS = 4096


def judge(painted, seen, since, until, trouble=None, numbers=NUMBERS):
    """`painted`: when each was, or None where nobody says; `seen`: `[when, number or -1, lines]`. A picture is new when its number is above all
    before it, counted over the rounds of so many `numbers`; where nobody says when, when its number is another one: a loop begins anew with each key
    frame that is asked for."""
    newest, fresh, delays, sizes = -1, [], [], {}
    cards = []
    for at, number, lines in seen:
        if number < 0:
            cards.append(at)
            continue
        if painted is not None:
            number = unwrapped(number, newest, numbers, len(painted))
        if number is None or number == newest or painted is not None and number < newest:
            continue
        newest = number
        if since <= at <= until:
            fresh.append(at)
            if painted is not None:
                delays.append(at - painted[number])
            sizes[lines] = sizes.get(lines, 0) + 1
    seconds = (until - since) / 1000
    edges = numpy.array([since, *fresh, until])
    gaps = numpy.diff(edges)
    result = {
        "pictures": len(fresh) / seconds, "eye": float(numpy.median(delays)) if delays else None,
        "freezes": int((gaps > FREEZE).sum()), "frozen": float(gaps.max() / 1000), "uncovered": uncovered(edges, cards), "seconds": seconds,
        "lines": max(sizes, key=sizes.get) if sizes else None,
    }
    if trouble:
        back = next((at for at in fresh if at >= trouble[1]), None)
        result["picture_back"] = None if back is None else (back - trouble[1]) / 1000
    return result


def unwrapped(number, newest, numbers, count):
    """The number as it was counted; None for one that was not painted."""
    round_of = max(0, newest) // numbers
    near = [number + (round_of + more) * numbers for more in (-1, 0, 1)]
    fitting = [one for one in near if 0 <= one < count]
    return min(fitting, key=lambda one: abs(one - newest)) if fitting else None


def uncovered(edges, cards):
    """s of the longest time without a new picture that shows no card instead."""
    worst = 0.0
    for begin, end in zip(edges, edges[1:]):
        card = next((at for at in cards if begin < at < end), end)
        worst = max(worst, card - begin)
    return worst / 1000
