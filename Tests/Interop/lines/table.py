"""The table, as markdown."""

from .cell import letter

COLUMNS = (
    "line", "way", "STOI", "ESTOI", "holes, % of speech", "longest, ms", "ear, ms, median (95 %)", "grows, ms", "new pictures/s", "eye, ms",
    "freezes > 500 ms, longest s", "sound, picture back, s", "offered → through, kbit/s", "lost, dropped %", "RTX %", "queue, ms, median (95 %)", "tier, each second", "lines", "figures to reach",
)


#: Of the server's ticks, 50 a second: more that were late are a machine that was too busy.
LATE = 20


def head():
    return f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"


def number(value, form):
    return "–" if value is None else format(value, form)


def judged(result):
    return result["counts"]["down" if result["way"].endswith("down") else "up"]


def row(result, verdict, seconds):
    heard, seen, side = result["sound"], result["picture"], judged(result)
    packets = max(1, side["packets"])
    # RTX of Chromium's and the endpoint's offers has 97.
    video = sum(stream["bytes"] for stream in side["streams"] if stream["type"] not in (111, 63))
    again = sum(stream["bytes"] for stream in side["streams"] if stream["type"] == 97)
    tiers = "".join(letter(tier) for tier in result.get("tiers", [])) or "–"
    ear = "–" if heard.get("ear") is None else f"{heard['ear']:.0f} ({heard['ear95']:.0f})"
    if heard.get("disturbed", 0) > 60 or result["late"] > LATE:
        ear += f", disturbed: clocks {heard.get('disturbed', 0):.0f} ms, {result['late']:g} late ticks"
    cells = (
        result["line"], result["way"], number(heard.get("stoi"), ".3f"), number(heard.get("estoi"), ".2f"), number(heard.get("holes"), ".1f"),
        number(heard.get("gap"), ".0f"), ear, number(heard.get("grows"), ".0f"), number(seen.get("pictures"), ".1f"), number(seen.get("eye"), ".0f"),
        f"{number(seen.get('freezes'), 'd')}, {number(seen.get('frozen'), '.1f')}",
        "–" if "sound_back" not in heard else f"{number(heard['sound_back'], '.1f')}, {number(seen.get('picture_back'), '.1f')}",
        f"{side['offered'] * 8 / 1000 / seconds:.0f} → {side['passed'] * 8 / 1000 / seconds:.0f}",
        f"{100 * (side['lost'] + side['cut']) / packets:.1f}, {100 * side['dropped'] / packets:.1f}", f"{100 * again / max(1, video):.0f}",
        f"{side['queue'][0]:.0f} ({side['queue'][1]:.0f})", tiers, number(seen.get("lines"), "d"), verdict.words(),
    )
    return f"| {' | '.join(cells)} |"
