"""The encoder model: pixels → features."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import onnxruntime as ort

from services.common.features import Features
from services.common.images import Pixels
from services.common.manifest import EncoderModel, ModelFile
from services.common.precision import EncoderPrecision, chosen_encoder, has_vnni

SPIN_US = 100
"""How long the threads that share a photo look for work before they sleep, in microseconds: longer
than a layer of the 8-bit models takes."""

IDLE_S = 0.01
"""A photo after a pause of this length counts as the only one: two clients make shorter ones."""


class EncoderSession:
    """Thread-safe; `run` releases the GIL.

    The photos of a batch are runs of their own, as many at the same time as there are threads,
    which they share: threads of one run wait for each other at every layer, and when one of them
    loses its core to the decoder, another photo has work for the rest.

    Layers of the 8-bit models are so short that waking a thread for each takes a tenth of a run, or
    a third where the cores have gone to sleep. A photo that comes after a pause is therefore run by
    threads that spin, in an ONNX session of its own; in a crowd they would take the cores from the
    decoder.
    """

    def __init__(
        self, model: EncoderModel, threads: int, precision: EncoderPrecision = "fp32"
    ) -> None:
        """Loads and checks the model.

        Args:
            model: From the manifest.
            threads: Threads of one run, 0 for one per core.
            precision: `auto` takes the 8-bit variant where the processor is faster with it.

        Raises:
            ModelsUnavailable: The file is missing or not the one the manifest names, or the
                variant asked for is not offered.
        """
        self.file = chosen_encoder(precision, model)
        self.file.verify()
        threads = threads or os.cpu_count() or 1
        self._session = _open(self.file, threads)
        short_layers = threads > 1 and self.file != model.file
        self._spinning = _open(self.file, threads, SPIN_US) if short_layers else self._session
        self._runs = ThreadPoolExecutor(threads, "encoder-run")
        self._last_run = 0.0
        self.model = model
        self.side = int(self._session.get_inputs()[0].shape[1])

    def run(self, images: list[Pixels]) -> list[Features]:
        """Encodes a batch.

        Args:
            images: Each uint8 [side, side, 3].

        Returns:
            For each image float16 [64, D].
        """
        if len(images) == 1:
            paused = time.monotonic() - self._last_run > IDLE_S
            features = [_encoded(self._spinning if paused else self._session, images[0])]
        else:
            features = list(self._runs.map(partial(_encoded, self._session), images))
        self._last_run = time.monotonic()
        return features


def _encoded(session: ort.InferenceSession, image: Pixels) -> Features:
    (features,) = session.run(["features"], {"image": image[None]})
    return np.asarray(features[0], dtype=np.float16)


def _open(file: ModelFile, threads: int, spin_us: int = 0) -> ort.InferenceSession:
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if spin_us:
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(spin_us))
    else:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not has_vnni():
        # 8-bit products would saturate in pairs; this way is slower and exact.
        options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(file.path, options, providers=["CPUExecutionProvider"])
