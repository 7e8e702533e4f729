"""Principal components go into the projection and come out of it again."""

import numpy as np

from train.reduce import COMPONENTS, fit_basis

CHANNELS = 600


def test_fold_and_unfold() -> None:
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(900, COMPONENTS - 12)).astype(np.float32)
    mixing = generator.normal(size=(COMPONENTS - 12, CHANNELS)).astype(np.float32)
    grids = (3.0 + hidden @ mixing / 20).reshape(-1, 10, 10, CHANNELS)
    basis = fit_basis(list(grids))
    kernel = generator.normal(size=(CHANNELS, 7)).astype(np.float32)
    bias = generator.normal(size=7).astype(np.float32)

    reduced = (grids - basis.mean) @ basis.matrix
    as_it_was = grids @ kernel + bias
    own_kernel, own_bias = basis.unfold(kernel, bias)
    np.testing.assert_allclose(reduced @ own_kernel + own_bias, as_it_was, rtol=0, atol=0.05)
    folded_kernel, folded_bias = basis.fold(own_kernel, own_bias)
    np.testing.assert_allclose(grids @ folded_kernel + folded_bias, as_it_was, rtol=0, atol=0.05)
