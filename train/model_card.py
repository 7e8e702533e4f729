"""Puts measured scores where people look: the table of ``models/README.md`` and the manifest.

    python -m train.evaluate --models models --split test --json models/scores.json
    python -m train.model_card

Reads ``models/scores.json``, which `train.evaluate` writes, and replaces what stands between the
two markers of the model card; the manifest gets the test scores of every decoder.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

START, END = "<!-- scores: python -m train.model_card -->", "<!-- end of scores -->"
PLACE = ("collection", "split", "language", "beam", "photos")
METRICS = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr", "chrF")
HABITS = ("distinct", "repeats a bigram", "cut end", "length ratio")


def _cell(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    return (
        f"{value:.0%}" if column in HABITS else f"{value:.1f}" if column in METRICS else str(value)
    )


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table, best known splits first."""
    columns = (*PLACE, *METRICS, *HABITS)
    ordered = sorted(rows, key=lambda row: tuple(str(row[key]) for key in PLACE))
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(_cell(row, column) for column in columns)} |" for row in ordered]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.model_card",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    models = parser.parse_args().models
    rows = json.loads((models / "scores.json").read_text())
    card = (models / "README.md").read_text()
    before, rest = card.split(START)
    _, after = rest.split(END)
    (models / "README.md").write_text(f"{before}{START}\n{table(rows)}\n{END}{after}")

    path = models / "manifest.json"
    manifest = json.loads(path.read_text())
    for language, decoder in manifest["decoders"].items():
        decoder["scores"] = [
            {key: value for key, value in row.items() if key != "language"}
            for row in rows
            if row["language"] == language and row["split"] == "test"
        ]
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
