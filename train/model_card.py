"""Puts measured scores where people look: the table of ``models/README.md`` and the manifest.

    python -m train.evaluate --models models --split test --json models/scores.json
    python -m train.evaluate --models models --split dev --captions dev.tsv
    python -m train.model_card --captions dev.tsv --run runs/fit/base --distilled runs/distill/base

Reads ``models/scores.json``, which `train.evaluate` writes, and replaces what stands between the
markers of the model card; the manifest gets the test scores of every decoder. ``--captions`` puts
the captions of some dev photos there, drawn by a fixed seed, good or bad; ``--run`` and
``--distilled`` copy their curves.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path
from typing import Any

from train.plots import plot_curves

SAMPLE, SEED = 24, 2026  # dev photos whose captions are shown
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


def sample_table(captions: Path, beam_size: int = 3) -> str:
    """Captions of `SAMPLE` photos, one row a photo and one column a language."""
    photos: dict[str, dict[str, str]] = {}
    for line in captions.read_text().splitlines():
        name, language, beam, caption = line.split("\t")
        if int(beam) == beam_size:
            photos.setdefault(name, {})[language] = caption
    columns = sorted({language for row in photos.values() for language in row})
    chosen = sorted(random.Random(SEED).sample(sorted(photos), SAMPLE))
    lines = [f"| dev photo | {' | '.join(columns)} |", f"|{' --- |' * (len(columns) + 1)}"]
    for name in chosen:
        cells = " | ".join(photos[name].get(language, "") for language in columns)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def replace_section(card: str, name: str, text: str) -> str:
    """The card with `text` between ``<!-- name … -->`` and ``<!-- end of name -->``."""
    start, end = card.index(f"<!-- {name}"), card.index(f"<!-- end of {name} -->")
    head = card[: card.index("-->", start) + len("-->")]
    return f"{head}\n{text}\n{card[end:]}"


def collect_plots(run: Path | None, distilled: Path | None, target: Path) -> None:
    """Copies the curves of the runs."""
    target.mkdir(exist_ok=True)
    if run:
        for name in ("curves.png", "calibration.png"):
            shutil.copy(run / name, target / name)
        curves = {
            f"{path.name.split('.')[0]}: dev CIDEr (greedy)": list(
                enumerate(row["cider"] for row in json.loads(path.read_text()))
            )
            for path in sorted(run.glob("*.scst.json"))
        }
        if curves:
            plot_curves(target / "scst.png", curves, "epoch of self-critical training", "")
    if distilled:
        shutil.copy(distilled / "probe.png", target / "probe.png")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.model_card",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--captions", type=Path, help=".tsv of dev captions by train.evaluate")
    parser.add_argument("--run", type=Path, help="folder of train.fit, for its curves")
    parser.add_argument("--distilled", type=Path, help="folder of train.distill, for its curve")
    arguments = parser.parse_args()
    models = arguments.models
    rows = json.loads((models / "scores.json").read_text())
    card = replace_section((models / "README.md").read_text(), "scores", table(rows))
    if arguments.captions:
        card = replace_section(card, "captions", sample_table(arguments.captions))
    (models / "README.md").write_text(card)
    collect_plots(arguments.run, arguments.distilled, models / "plots")

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
