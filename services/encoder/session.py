"""The encoder model: pixels → features, one ONNX session."""

import os

import numpy as np
import onnxruntime as ort

from services.common.images import Pixels
from services.common.manifest import EncoderModel
from services.common.precision import Precision, chosen, has_vnni
from services.common.wire import Features


class EncoderSession:
    """Thread-safe; `run` releases the GIL."""

    def __init__(self, model: EncoderModel, threads: int, precision: Precision = "fp32") -> None:
        """Loads and checks the model.

        Args:
            model: From the manifest.
            threads: Threads of one run, 0 for one per core.
            precision: `auto` takes the 8-bit variant where the processor is faster with it.

        Raises:
            ModelsUnavailable: The file is missing or not the one the manifest names, or the
                variant asked for is not offered.
        """
        self.file = chosen(precision, model.file, model.int8, faster=has_vnni())
        self.file.verify()
        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.inter_op_num_threads = 1
        # The pool would otherwise spin between runs and take the cores from the decoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Batches of every size come by; the arena would keep the largest for ever.
        options.enable_cpu_mem_arena = False
        self._session = ort.InferenceSession(
            self.file.path, options, providers=["CPUExecutionProvider"]
        )
        self.model = model
        self.side = int(self._session.get_inputs()[0].shape[1])

    def run(self, images: list[Pixels]) -> list[Features]:
        """Encodes a batch.

        Args:
            images: Each uint8 [side, side, 3].

        Returns:
            For each image float16 [64, D].
        """
        batch = np.stack(images)  # [batch, side, side, 3]
        (features,) = self._session.run(["features"], {"image": batch})
        return list(np.asarray(features, dtype=np.float16))
