"""Principal components of the encoder's grid: 2048 → 512 numbers a place, 99 % of the variance.

Training reads a quarter of the data and the projection's matrix is sixteen times cheaper; the basis
is folded into the exported projection afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from train.data import Photo, places
from train.features import load_features

COMPONENTS = 512
FIT_ON = 2000  # photos


@dataclass(frozen=True)
class Basis:
    """``reduced = (features - mean) @ matrix``, scaled to a mean variance of one."""

    mean: np.ndarray  # [2048]
    matrix: np.ndarray  # [2048, 512]

    def reduce(self, grid: np.ndarray) -> np.ndarray:
        """[..., 8, 8, 2048] → float16 [..., 64, 512]."""
        places = grid.reshape(*grid.shape[:-3], 64, grid.shape[-1]).astype(np.float32)
        return ((places - self.mean) @ self.matrix).astype(np.float16)

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The projection that reads reduced features, as one that reads the grid itself."""
        folded = self.matrix @ kernel
        return folded, bias - self.mean @ folded

    def unfold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The projection that reads the grid, as one that reads reduced features.

        Equal but for what the components leave out.
        """
        return np.linalg.pinv(self.matrix) @ kernel, bias + self.mean @ kernel


def fit_basis(grids: list[np.ndarray]) -> Basis:
    """Principal components of the places of float16 grids [8, 8, C]."""
    places = np.concatenate([grid.reshape(-1, grid.shape[-1]) for grid in grids]).astype(np.float32)
    mean = places.mean(axis=0)
    covariance = (places - mean).T @ (places - mean) / len(places)
    values, vectors = np.linalg.eigh(covariance)
    kept = vectors[:, ::-1][:, :COMPONENTS]
    print(f"{COMPONENTS} components keep {values[::-1][:COMPONENTS].sum() / values.sum():.1%}")
    return Basis(mean, kept / np.sqrt(values[::-1][:COMPONENTS].mean()))


def reduced_features(
    work_dir: Path, name: str, photos: list[Photo], basis: Basis | None = None
) -> tuple[np.ndarray, Basis]:
    """Reduced features of the photos, float16 [photos, 64, 512], in their order; cached on disk.

    Args:
        work_dir, name: where the features are.
        photos: whole collections as `load_photos` gives them.
        basis: one that was fitted on other features; by default it is fitted, once, on these.
    """
    folder = work_dir / "features" / name
    collections = list(dict.fromkeys(photo.collection for photo in photos))
    grids = {one: load_features(work_dir, name, "mixed10", one) for one in collections}
    if basis is None:
        basis_file = folder / "basis.npz"
        if not basis_file.exists():
            where = zip(photos, places(photos), strict=True)
            train = [place for photo, place in where if photo.split == "train"]
            chosen = np.random.default_rng(0).permutation(len(train))[:FIT_ON]
            fitted = fit_basis([grids[train[i][0]][train[i][1]] for i in chosen])
            np.savez(basis_file, mean=fitted.mean, matrix=fitted.matrix)
        with np.load(basis_file) as saved:
            basis = Basis(saved["mean"], saved["matrix"])
    parts = []
    for one in collections:
        path = folder / one / "reduced.npy"
        if not path.exists():
            grid = grids[one]
            starts = tqdm(range(0, len(grid), 64), desc=f"reduce {one}")
            np.save(path, np.concatenate([basis.reduce(grid[i : i + 64]) for i in starts]))
        parts.append(np.load(path))
    return np.concatenate(parts), basis
