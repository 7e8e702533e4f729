"""`make bench`, or `python -m bench encoder decoder` for some parts only.

All parts together write `results.json`, `results.md` and the plots; single parts only print.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import comparison, decoder, encoder, limit, report, service, stages
from bench.figures import Figures

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results.json"
PARTS: dict[str, Callable[[], Figures]] = {
    "limit": limit.measure,
    "encoder": encoder.measure,
    "stages": stages.measure,
    "decoder": decoder.measure,
    "service": service.measure,
    "float32": service.measure_float32,
    "peers": comparison.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().parts
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    figures: Figures = {}
    for name in chosen or PARTS:
        begun = time.perf_counter()
        print(f"{name} …", end=" ", flush=True, file=sys.stderr)
        figures |= PARTS[name]()
        print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
        if not chosen:
            RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    if chosen:
        width = max(map(len, figures))
        for name, value in figures.items():
            print(f"{name:{width}} {value:10.2f}")
        return 0
    document = report.markdown(figures)
    print(document)
    (FOLDER / "results.md").write_text(document)
    python = str(comparison.ENVIRONMENT / "bin" / "python")
    subprocess.run([python, "-m", "bench.plots"], cwd=FOLDER.parent, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
