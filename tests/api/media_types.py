"""Bodies for schemathesis, which loads this file as its hooks: real photos, features, and bytes."""

import numpy as np
import schemathesis
from hypothesis import strategies

from services.common.features import pack_features
from services.common.manifest import read_manifest
from services.common.settings import REPOSITORY
from services.common.wire import MEDIA_TYPE
from tests import photos

_PHOTOS = strategies.sampled_from([photos.CAT.read_bytes(), photos.ROCKET.read_bytes()])
_ENCODER = read_manifest(REPOSITORY / "models").encoder
_FEATURES = pack_features(np.ones((_ENCODER.cells, _ENCODER.dimensions), np.float16))

for kind in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"):
    schemathesis.openapi.media_type(f"image/{kind}", _PHOTOS | strategies.binary(max_size=400))
schemathesis.openapi.media_type(
    MEDIA_TYPE, strategies.just(_FEATURES) | strategies.binary(max_size=400)
)
