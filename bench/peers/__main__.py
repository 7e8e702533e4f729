"""`python -m bench.peers NAME PORT MODELS`: serves one peer. Only its own packages are imported."""

import os
import sys
from pathlib import Path

from bench.peers.server import Captioner, serve


def build(name: str, models: Path) -> Captioner:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    if name in ("eager", "function"):
        from bench.peers.replaced import Replaced

        return Replaced(compiled=name == "function")
    if name == "plain":
        from bench.peers.plain import Plain

        return Plain(models)
    from bench.peers.blip import Blip

    return Blip()


serve(build(sys.argv[1], Path(sys.argv[3])), int(sys.argv[2]))
