"""Image features, and the `.npy` body as which they travel between the services."""

import io

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from services.common.errors import InvalidFeatures

LARGEST_HEADER = 256
"""Longest `.npy` header that is parsed; a real one takes 118 bytes."""

Features = NDArray[np.float16]
"""Image features, float16 [64, D], row-major over the 8×8 grid."""


def pack_features(features: Features) -> bytes:
    """Writes features as a `.npy` file, float16 little endian [64, D]."""
    body = io.BytesIO()
    npy.write_array(body, features.astype("<f2", copy=False), allow_pickle=False)
    return body.getvalue()


def unpack_features(body: bytes, cells: int, dimensions: int) -> Features:
    """Reads what `pack_features` wrote, trusting nothing.

    Args:
        body: A `.npy` file.
        cells: Expected first dimension (64).
        dimensions: Expected second dimension (D).

    Raises:
        InvalidFeatures: Not a `.npy` file of finite float16 [cells, dimensions].
    """
    stream = io.BytesIO(body)
    try:
        version = npy.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"version {version}")
        shape, fortran, dtype = npy.read_array_header_1_0(stream, max_header_size=LARGEST_HEADER)
    except Exception as error:  # the header parser raises many types on hostile input
        raise InvalidFeatures("The body is not an .npy file of version 1.0.") from error
    if shape != (cells, dimensions) or fortran or dtype != np.dtype("<f2"):
        raise InvalidFeatures(
            f"The body must hold a little-endian float16 array of shape [{cells}, {dimensions}] "
            "in C order."
        )
    if len(body) - stream.tell() != cells * dimensions * 2:
        raise InvalidFeatures("The array does not have the length that its header announces.")
    features = np.frombuffer(body, dtype="<f2", offset=stream.tell()).reshape(shape)
    if not np.isfinite(features).all():
        raise InvalidFeatures("The features hold values that are not finite numbers.")
    return features
