"""The plots of `results.md`, from `results.json`. Runs where matplotlib is: `.venv-bench`."""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

FOLDER = Path(__file__).resolve().parent
NAMES = {
    "uncached": "Oko",
    "plain": "FastAPI + ONNX Runtime",
    "function": "tf.function",
    "eager": "TensorFlow eager",
    "blip": "BLIP-base",
}
LEVELS = {
    "uncached": ("uncached", "#b4541a"),
    "features_cached": ("features cached", "#2a6f97"),
    "caption_cached": ("caption cached", "#4f772d"),
}
CONCURRENCY = (1, 4, 16, 64)


def main() -> None:
    plt.rcParams |= {
        "svg.hashsalt": "oko",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    figures = json.loads((FOLDER / "results.json").read_text())
    throughput(figures)
    latency(figures)


def throughput(figures: dict[str, float]) -> None:
    chart, axes = plt.subplots(figsize=(7, 2.6))
    values = [figures[f"{name}_16_per_s"] for name in NAMES]
    bars = axes.barh(list(NAMES.values()), values, color=["#b4541a"] + ["#9aa0a6"] * 4)
    axes.bar_label(bars, fmt="%.1f", padding=4)
    axes.axvline(1000 / figures["encoder_served_ms"], color="#333", linestyle=":", linewidth=1)
    axes.set(xlabel="uncached captions a second, 16 at once (dotted: bare encoder)")
    axes.invert_yaxis()
    save(chart, "throughput")


def latency(figures: dict[str, float]) -> None:
    chart, axes = plt.subplots(figsize=(7, 3.4))
    for level, (title, colour) in LEVELS.items():
        middle, worst = (
            [figures[f"{level}_{many}_{quantile}_ms"] for many in CONCURRENCY]
            for quantile in ("p50", "p95")
        )
        axes.plot(CONCURRENCY, middle, "o-", color=colour, label=title)
        axes.fill_between(CONCURRENCY, middle, worst, color=colour, alpha=0.15, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel="requests at once", ylabel="ms, p50 to p95")
    axes.set_xticks(CONCURRENCY, list(map(str, CONCURRENCY)))
    axes.legend(frameon=False)
    save(chart, "latency")


def save(chart: plt.Figure, name: str) -> None:
    chart.tight_layout()
    chart.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    plt.close(chart)


if __name__ == "__main__":
    main()
