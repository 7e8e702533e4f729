"""Oko's own models behind a plain service: ONNX Runtime as it comes, beam search in a loop."""

import io
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from bench.peers.server import Answer

BEAMS = 3
LONGEST = 20


class Plain:
    def __init__(self, models: Path) -> None:
        folder = models / "decoder" / "en"
        self._encoder, self._init, self._step = (
            ort.InferenceSession(path, providers=["CPUExecutionProvider"])
            for path in (models / "encoder.onnx", folder / "init.onnx", folder / "step.onnx")
        )

    def caption(self, photo: bytes) -> Answer:
        started = time.perf_counter()
        image = Image.open(io.BytesIO(photo)).convert("RGB").resize((299, 299))
        (features,) = self._encoder.run(None, {"image": np.asarray(image)[None]})
        encoded = time.perf_counter()
        words = self._search(features)
        done = time.perf_counter()
        text = " ".join(map(str, words))
        return Answer(text, 1000 * (encoded - started), 1000 * (done - encoded))

    def _search(self, features: np.ndarray) -> list[int]:
        keys, h, c = self._init.run(None, {"features": features})
        beams: list[tuple[float, list[int]]] = [(0.0, [1])]
        complete: list[tuple[float, list[int]]] = []
        parent = [0]
        while beams and len(beams[0][1]) <= LONGEST:
            log_prob, ids, h, c, _ = self._step.run(
                None,
                {
                    "token": np.array([[words[-1] for _, words in beams]]),
                    "parent": np.array([parent]),
                    "h": h,
                    "c": c,
                    "features": features,
                    "keys": keys,
                },
            )
            grown = [
                (total + float(log_prob[0, beam, k]), [*words, int(ids[0, beam, k])], beam)
                for beam, (total, words) in enumerate(beams)
                for k in range(BEAMS)
            ]
            grown.sort(key=lambda each: -each[0])
            best = grown[: BEAMS - len(complete)]
            complete += [(total / len(words), words) for total, words, _ in best if words[-1] == 2]
            beams = [(total, words) for total, words, _ in best if words[-1] != 2]
            parent = [beam for _, words, beam in best if words[-1] != 2]
        found = [*complete, *((total / len(words), words) for total, words in beams)]
        return max(found)[1]
