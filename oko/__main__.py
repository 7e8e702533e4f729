"""`python -m oko caption photo.jpg --language uk`"""

import argparse
import sys
from pathlib import Path

from oko.captioner import Captioner
from services.common.errors import ModelsUnavailable, OkoError


def main(arguments: list[str] | None = None) -> int:
    """Prints the caption of each file; 1 when any of them failed, 2 when nothing can work."""
    options = _parser().parse_args(arguments)
    try:
        with Captioner(options.models) as captioner:
            failed = [not _print_caption(captioner, path, options) for path in options.images]
    except ModelsUnavailable as error:
        print(f"oko: {error}", file=sys.stderr)
        return 2
    return int(any(failed))


def _print_caption(captioner: Captioner, path: Path, options: argparse.Namespace) -> bool:
    try:
        best, *_ = captioner.caption(
            path.read_bytes(), options.language, options.beam_size, options.max_words
        )
    except OSError as error:
        print(f"oko: {path}: {error.strerror}", file=sys.stderr)
        return False
    except OkoError as error:
        print(f"oko: {path}: {error.detail}", file=sys.stderr)
        return False
    prefix = f"{path}: " if len(options.images) > 1 else ""
    print(f"{prefix}{best.text}")
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oko", description="Says what is in a photo.")
    commands = parser.add_subparsers(dest="command", required=True)
    caption = commands.add_parser("caption", help="caption image files, without servers")
    caption.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    caption.add_argument("--language", default="en", help="en (default), uk, …")
    caption.add_argument("--beam-size", type=int, default=3, choices=range(1, 11), metavar="1-10")
    caption.add_argument("--max-words", type=int, default=20, choices=range(1, 41), metavar="1-40")
    caption.add_argument("--models", type=Path, help="models folder (default: OKO_MODELS_DIR)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
