"""The decoder model of one language: two ONNX graphs, `init` and `step`."""

import os
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from services.common.manifest import DecoderModel, ModelFile
from services.common.precision import Precision, chosen

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class State:
    """LSTM state, one row per beam: `h` and `c` float32 [rows, hidden]."""

    h: Floats
    c: Floats


@dataclass(frozen=True, slots=True)
class Step:
    """What one step says about N captions × B beams."""

    log_probability: Floats  # [N, B, 16], largest first
    word: Ids  # [N, B, 16]
    attention: Floats  # [N, B, 64], where the predicted word looked
    state: State  # N·B rows


class DecoderSession:
    """Thread-safe; runs release the GIL."""

    def __init__(
        self,
        model: DecoderModel,
        cells: int,
        dimensions: int,
        threads: int,
        precision: Precision = "fp32",
    ) -> None:
        """Loads and checks both graphs.

        Args:
            model: From the manifest.
            cells: Places of the feature grid (64).
            dimensions: Length of a feature vector (D).
            threads: Threads of one run, 0 for one per core.
            precision: `auto` takes the 8-bit step, which is faster everywhere.

        Raises:
            ModelsUnavailable: A file is missing or not the one the manifest names, or the variant
                asked for is not offered.
        """
        self._init = _open(model.init, threads)
        self.step_file = chosen(precision, model.step, model.int8, faster=True)
        self._step = _open(self.step_file, threads)
        self.cells, self.dimensions = cells, dimensions
        self.model = model
        keys, _ = self.init(np.zeros((1, cells, dimensions), np.float32))
        self.attention_size = int(keys.shape[2])

    def init(self, features: Floats) -> tuple[Floats, State]:
        """Keys for attention and the first state.

        Args:
            features: float32 [captions, 64, D].

        Returns:
            Keys float32 [captions, 64, A] and a state of one row per caption.
        """
        keys, h, c = self._init.run(["keys", "h", "c"], {"features": features})
        return np.asarray(keys), State(np.asarray(h), np.asarray(c))

    def step(self, token: Ids, parent: Ids, state: State, features: Floats, keys: Floats) -> Step:
        """One word further for every beam of every caption.

        Args:
            token: int64 [N, B], the word each beam ends with.
            parent: int64 [N, B], the row of `state` each beam continues.
            state: Of the step before, any number of rows.
            features: float32 [N, 64, D].
            keys: float32 [N, 64, A].
        """
        log_probability, word, h, c, attention = self._step.run(
            ["log_prob", "id", "next_h", "next_c", "attention"],
            {
                "token": token,
                "parent": parent,
                "h": state.h,
                "c": state.c,
                "features": features,
                "keys": keys,
            },
        )
        return Step(
            np.asarray(log_probability),
            np.asarray(word),
            np.asarray(attention),
            State(np.asarray(h), np.asarray(c)),
        )


def _open(file: ModelFile, threads: int) -> ort.InferenceSession:
    file.verify()
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # shapes change from step to step
    return ort.InferenceSession(file.path, options, providers=["CPUExecutionProvider"])
