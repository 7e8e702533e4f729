"""Pictures of where each word came from, drawn in a thread within a memory budget."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from services.common.accepted_images import ImageLimits
from services.common.budget import ByteBudget
from services.common.deadline import Deadline
from services.gateway.schemas import Caption


class Heatmaps:
    """Draws in a thread, within a memory budget."""

    def __init__(self, limits: ImageLimits, threads: int = 1) -> None:
        self._limits = limits
        self._memory = ByteBudget(limits.max_decode_bytes)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="heatmaps")

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def drawn(self, caption: Caption, image: bytes, deadline: Deadline) -> Caption:
        """The caption with `overlay` on every word and a `figure` of all of them.

        Raises:
            DeadlinePassed: No time left.
        """
        loop = asyncio.get_running_loop()
        decode_bytes = await loop.run_in_executor(self._threads, self._decode_bytes, image)
        async with self._memory.hold(decode_bytes):
            deadline.check()
            return await loop.run_in_executor(self._threads, self._draw, caption, image)

    # OpenCV, NumPy and Pillow take 30 MB and a moment to load; most gateways are never asked for
    # a picture.

    def _decode_bytes(self, image: bytes) -> int:
        from services.common.images import read_header

        return read_header(image, self._limits).decode_bytes

    def _draw(self, caption: Caption, image: bytes) -> Caption:
        from services.common.images import decode_to_size
        from services.gateway.overlays import data_uri, figure, overlay, overlay_size

        size = overlay_size(caption.image.width, caption.image.height)
        photo = decode_to_size(image, size, self._limits)
        overlays = [overlay(word.attention or [], size) for word in caption.words]
        words = [
            word.model_copy(update={"overlay": data_uri(picture)})
            for word, picture in zip(caption.words, overlays, strict=True)
        ]
        texts = [word.text for word in caption.words]
        return caption.model_copy(
            update={"words": words, "figure": data_uri(figure(photo, overlays, texts))}
        )
