"""A photo that kills the process that decodes it is named, and the next ones are decoded."""

import sys

import pytest

from oko.batch.trial import CrashesDecoder, Trial
from services.common.accepted_images import ImageLimits
from tests import photos
from tests.batch import inputs

LIMITS = ImageLimits(10**7, 10**8)
FRAGILE = """
import os, signal, sys
from oko.batch import trial
decode = trial.decode_square
def dies(data, side, limits):
    if data == b"poison":
        os.kill(os.getpid(), signal.SIGSEGV)
    decode(data, side, limits)
trial.decode_square = dies
sys.argv = ["trial", "10000000", "100000000"]
trial.main()
"""


def test_good_and_refused_images_pass() -> None:
    trial = Trial(LIMITS)
    for image in (photos.CAT.read_bytes(), inputs.BROKEN, b"", photos.ROCKET.read_bytes()):
        trial.survive(image)
    trial.close()


def test_a_crash_is_told_from_the_others() -> None:
    trial = Trial(LIMITS, sys.executable, "-c", FRAGILE)
    for _ in range(2):
        trial.survive(photos.CAT.read_bytes())
        with pytest.raises(CrashesDecoder):
            trial.survive(b"poison")
    trial.survive(photos.CAT.read_bytes())
    trial.close()
