"""BLIP-base, which most people reach for, with random weights: nothing is downloaded."""

import io
import time

import numpy as np
import torch
from PIL import Image
from transformers import BlipConfig, BlipForConditionalGeneration

from bench.peers.server import Answer

TOKENS = 10
SIDE = 384


class Blip:
    """Greedy, always `TOKENS` tokens."""

    def __init__(self) -> None:
        config = BlipConfig()
        config.vision_config.image_size = SIDE
        self._model = BlipForConditionalGeneration(config).eval()

    @torch.inference_mode()
    def caption(self, photo: bytes) -> Answer:
        started = time.perf_counter()
        image = Image.open(io.BytesIO(photo)).convert("RGB").resize((SIDE, SIDE))
        pixels = torch.from_numpy(np.asarray(image, np.float32) / 127.5 - 1)
        tokens = self._model.generate(
            pixel_values=pixels.permute(2, 0, 1)[None],
            min_new_tokens=TOKENS,
            max_new_tokens=TOKENS,
            do_sample=False,
            num_beams=1,
        )
        done = time.perf_counter()
        return Answer(" ".join(map(str, tokens[0].tolist())), 1000 * (done - started), 0.0)
