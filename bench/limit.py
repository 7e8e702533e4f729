"""What the machine's arithmetic allows: matrix products of the size of a convolution layer."""

import os

import numpy as np

from bench.figures import Figures
from bench.times import repeated

SIDE = 2048


def measure() -> Figures:
    generator = np.random.default_rng(0)
    one = generator.random((SIDE, SIDE), np.float32)
    other = generator.random((SIDE, SIDE), np.float32)
    took = repeated(lambda: one @ other)
    return {"cores": os.cpu_count() or 1, "sgemm_gflops": 2 * SIDE**3 / took.p50 / 1e6}
