"""`make lines`: prints the table, row by row as it is measured. LINES, WAYS, SECONDS, SEED and SIDES choose; docs/bad-lines.md says what is what."""

import argparse
import json
import sys
import time
import traceback

from support.chromium import Chromium, sync_playwright
from support.server import ROOT

from . import table
from .cell import ARGUMENTS, Cell
from .headless import HeadlessCell
from .named import LINES
from .verdict import Verdict

#: The anchor first: bounds of the others are beside it.
WAYS = {"direct": Cell, "up": Cell, "down": Cell, "endpoint-up": HeadlessCell, "endpoint-down": HeadlessCell}


def chosen(word, known, what):
    # A terminal's height is in LINES too.
    if word == "all" or word.isdigit():
        return list(known)
    names = [name for name in word.replace(" ", ",").split(",") if name]
    strange = [name for name in names if name not in known]
    if strange or not names:
        sys.exit(f"make lines: no {what} {', '.join(strange) or 'is named'}; there are {', '.join(known)}")
    return [name for name in known if name in names]


def main():
    words = argparse.ArgumentParser(prog="lines", description=__doc__)
    words.add_argument("--lines", default="all")
    words.add_argument("--ways", default="all")
    words.add_argument("--seconds", type=float, default=21, help="of a cell, after all are connected; lines whose trouble takes longer have more")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--sides", choices=("both", "one"), default="both", help="whether the way back is as bad, or clean")
    words.add_argument("--json", default=str(ROOT / "out" / "lines.json"), help="everything that was measured")
    options = words.parse_args()
    if not 10 <= options.seconds <= 3_600:
        sys.exit("make lines: SECONDS is from 10 to 3600")
    lines, ways = chosen(options.lines, LINES, "line"), chosen(options.ways, WAYS, "way")
    results, missed = [], 0
    print(table.head(), flush=True)
    with sync_playwright() as playwright:
        browser = Chromium(playwright, ARGUMENTS)
        try:
            for name in lines:
                direct = None
                for way in ways:
                    began = time.monotonic()
                    try:
                        cell = WAYS[way](browser.browser, LINES[name], way, options.seconds, options.seed, options.sides)
                        result = cell.run()
                        direct = result if way == "direct" else direct
                        verdict = Verdict(result, LINES[name], direct)
                        result |= {"met": verdict.met, "missed": verdict.missed, "seconds": cell.seconds}
                        row = table.row(result, verdict, cell.seconds)
                    except Exception as failure:  # a cell that cannot be measured does not take the table with it
                        traceback.print_exc()
                        print(f"| {name} | {way} | not measured: {str(failure).splitlines()[0] if str(failure) else type(failure).__name__} |", flush=True)
                        missed += 1
                        continue
                    missed += bool(verdict.missed)
                    results.append(result)
                    print(row, flush=True)
                    print(f"{name} {way}: {time.monotonic() - began:.0f} s; the relay late by {result['counts']['late']} ms, the server in {result['late']:g} ticks", file=sys.stderr, flush=True)
        finally:
            browser.close()
            write(options.json, results)
    print(f"\n{len(results)} cells, {missed} with a figure missed or not measured; all of it is in {options.json}")


def write(path, results):
    (ROOT / "out").mkdir(exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()
