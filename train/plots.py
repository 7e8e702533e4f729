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
