"""The examples of docs/clients.md, run as they stand there."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests import photos
from tests.oko.command import environment
from tests.processes import REPOSITORY, Stack

PAGE = REPOSITORY / "docs" / "clients.md"


def blocks(language: str) -> Iterator[str]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    yield from pattern.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, photo in (("photo.jpg", photos.CAT), ("other.jpg", photos.COFFEE)):
        with Image.open(photo) as image:
            image.convert("RGB").save(tmp_path / name)
    return tmp_path


def run(command: list[str], code: str, folder: Path, stack: Stack) -> str:
    code = code.replace("http://127.0.0.1:8000", stack.url)
    done = subprocess.run(
        [*command, code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl(folder: Path, stack: Stack) -> None:
    one, several, stream = (run(["sh", "-c"], code, folder, stack) for code in blocks("sh"))
    assert json.loads(one)["caption"].split() == [word["text"] for word in json.loads(one)["words"]]
    assert [each["language"] for each in json.loads(several)["captions"]] == ["uk", "uk"]
    assert stream.count("event: word") >= 3
    assert stream.count("event: caption") == 1


def test_python(folder: Path, stack: Stack) -> None:
    first, errors, words = (
        run([sys.executable, "-c"], code, folder, stack) for code in blocks("python")
    )
    assert len(first.splitlines()) >= 4
    assert errors.startswith("not-an-image")
    assert len(words.split()) >= 9


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_javascript(folder: Path, stack: Stack) -> None:
    (code,) = blocks("js")
    said = run(["node", "--input-type=module", "-e"], code, folder, stack)
    assert len(said.split()) >= 3
