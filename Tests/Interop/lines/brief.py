"""The table of a run again, with fewer columns, for docs/bad-lines.md: `python -m lines.brief [JSON …]`, from Tests/Interop; of a cell in several files the last counts."""

import json
import sys

from support.server import ROOT

from . import table
from .named import LINES
from .verdict import Verdict

COLUMNS = (
    "line", "way", "STOI", "holes, % (longest, ms)", "ear, ms", "pictures/s", "eye, ms", "freezes, longest s", "sound, picture back, s", "offered → through, kbit/s",
    "queue, ms", "tier, each second", "figures to reach",
)


def brief(result, direct):
    cells = [cell.strip() for cell in table.row(result, Verdict(result, LINES[result["line"]], direct), result["seconds"]).strip("| ").split(" | ")]
    line, way, stoi, _, holes, longest, ear, _, pictures, eye, freezes, back, rates, _, _, queue, tiers, _, verdict = cells
    holes = holes if holes == "–" else f"{holes} ({longest})"
    return f"| {' | '.join((line, way, stoi, holes, ear.split(' ')[0].rstrip(','), pictures, eye, freezes, back, rates, queue, tiers, verdict))} |"


def main():
    results = {}
    for path in sys.argv[1:] or [ROOT / "out" / "lines.json"]:
        with open(path, encoding="utf-8") as file:
            results |= {(one["line"], one["way"]): one for one in json.load(file)}
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for (line, _), result in results.items():
        print(brief(result, results.get((line, "direct"))))


if __name__ == "__main__":
    main()
