"""A process of its own that decodes an image first, so that one that kills its decoder kills it.

Used by a worker whose predecessor has died: whatever did that may be in the photos that it gets
again, and without this it would die again, for ever.
"""

import contextlib
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

from services.common.accepted_images import ImageLimits
from services.common.errors import OkoError
from services.common.images import decode_square

_LENGTH = struct.Struct("<Q")
_SIDE = 299
_SURVIVED = b"\1"


class CrashesDecoder(OkoError):
    status, code, title = 422, "crashes-decoder", "The image ends the process that decodes it"


class Trial:
    """Thread-safe; the process is started when it is needed and again when it has died."""

    def __init__(self, limits: ImageLimits, *program: str) -> None:
        """Nothing is started yet.

        Args:
            limits: Larger images are not decoded.
            program: Instead of this module's own; reads and answers as `main` does.
        """
        limit = (str(limits.max_pixels), str(limits.max_decode_bytes))
        self._command = program or (sys.executable, "-m", "oko.batch.trial", *limit)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def survive(self, image: bytes) -> None:
        """Raises `CrashesDecoder`; a damaged image that is merely refused passes."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            if not _asked(self._process, image):
                self._end()
                raise CrashesDecoder("Decoding it ended the process.")

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _asked(process: subprocess.Popen[bytes], image: bytes) -> bool:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(_LENGTH.pack(len(image)) + image)
        process.stdin.flush()
        return process.stdout.read(1) == _SURVIVED
    except BrokenPipeError:
        return False


def _images(stream: BinaryIO) -> Iterator[bytes]:
    while header := stream.read(_LENGTH.size):
        yield stream.read(_LENGTH.unpack(header)[0])


def main() -> None:
    """Decodes what comes in, and says after each that it is still there."""
    limits = ImageLimits(*map(int, sys.argv[1:]))
    for image in _images(sys.stdin.buffer):
        with contextlib.suppress(OkoError):
            decode_square(image, _SIDE, limits)
        sys.stdout.buffer.write(_SURVIVED)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
