"""Curves as pictures: what a run's owner looks at first."""

from __future__ import annotations

from pathlib import Path


def plot_curves(
    path: Path, curves: dict[str, list[tuple[float, float]]], x_label: str, y_label: str
) -> None:
    """Draws named curves of (x, y) points into one PNG or SVG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def plot_reliability(path: Path, curves: dict[str, list[tuple[float, float]]]) -> None:
    """Draws what was promised (x) against what came true (y); on the diagonal both are the same."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", label="as promised")
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xlabel("score of the caption")
    axes.set_ylabel("share of its content words that people used")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
