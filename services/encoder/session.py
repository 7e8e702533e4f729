"""The encoder model: pixels → features, one ONNX session."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort

from services.common.features import Features
from services.common.images import Pixels
from services.common.manifest import EncoderModel
from services.common.precision import EncoderPrecision, chosen_encoder, has_vnni


class EncoderSession:
    """Thread-safe; `run` releases the GIL.

    The photos of a batch are runs of their own, as many at the same time as there are threads,
    which they share: threads of one run wait for each other at every layer, and when one of them
    loses its core to the decoder, another photo has work for the rest.
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
        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.inter_op_num_threads = 1
        # The pool would otherwise spin between runs and take the cores from the decoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not has_vnni():
            # 8-bit products would saturate in pairs; this way is slower and exact.
            options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = ort.InferenceSession(
            self.file.path, options, providers=["CPUExecutionProvider"]
        )
        self._runs = ThreadPoolExecutor(options.intra_op_num_threads, "encoder-run")
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
            return [self._run(images[0])]
        return list(self._runs.map(self._run, images))

    def _run(self, image: Pixels) -> Features:
        (features,) = self._session.run(["features"], {"image": image[None]})
        return np.asarray(features[0], dtype=np.float16)
