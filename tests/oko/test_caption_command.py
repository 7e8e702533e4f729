"""`oko caption` on several photos: arguments, outputs, resuming, ends."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from oko.captioner import Captioner
from tests import photos
from tests.oko.command import environment, oko
from tests.processes import Stack


@pytest.fixture(scope="module")
def said() -> dict[Path, str]:
    """What the models say, whatever models these are."""
    with Captioner(languages=["en"]) as captioner:
        return {path: captioner.caption(path)[0].text for path in (photos.CAT, photos.COFFEE)}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Three photos in two folders, and what is no photo."""
    album = tmp_path / "album"
    (album / "deep" / "er").mkdir(parents=True)
    (album / ".thumbnails").mkdir()
    shutil.copy(photos.CAT, album / "cat.png")
    shutil.copy(photos.COFFEE, album / "deep" / "coffee.PNG")
    shutil.copy(photos.ROCKET, album / "deep" / "er" / "rocket.jpg")
    shutil.copy(photos.ROCKET, album / ".thumbnails" / "rocket.jpg")
    (album / "._cat.png").write_bytes(b"what another system left")
    (album / "notes.txt").write_text("no photo")
    return album


def rows(path: Path) -> dict[str, dict[str, object]]:
    """Rows by path; each once."""
    if path.suffix == ".jsonl":
        found = [json.loads(line) for line in path.read_text().splitlines()]
    elif path.suffix == ".csv":
        found = list(csv.DictReader(io.StringIO(path.read_text())))
    else:
        found = pq.read_table(path).to_pylist()
    by_path = {row["path"]: row for row in found}
    assert len(by_path) == len(found)
    return by_path


def test_folders_patterns_and_lists_mean_the_same(album: Path) -> None:
    names = ["album/cat.png", "album/deep/coffee.PNG", "album/deep/er/rocket.jpg"]
    listed = "\n".join((*names, names[0], "")).encode()
    folder = album.parent
    by_folder = oko("caption", "album", folder=folder)
    by_list = oko("caption", "-", stdin=listed, folder=folder)
    by_pattern = oko("caption", "album/**/[cr]*.[pPj]*", "./album", folder=folder)
    assert [line.split(": ")[0] for line in by_folder.stdout.splitlines()] == names
    assert by_folder.stdout == by_list.stdout == by_pattern.stdout
    assert by_folder.stderr == ""


def test_a_table_is_resumed(album: Path, said: dict[Path, str]) -> None:
    output = album.parent / "captions.csv"
    arguments = (album, "--output", output, "--language", "en", "--language", "uk")
    broken = album / "deep" / "broken.jpg"
    broken.write_bytes(b"no image")
    first = oko("caption", *arguments)
    assert first.returncode == 1
    assert "3 captioned, 1 failed" in first.stderr
    assert "Traceback" not in first.stderr
    failures = Path(f"{output}.errors.jsonl")
    (failure,) = [json.loads(line) for line in failures.read_text().splitlines()]
    assert (failure["path"], failure["code"]) == (str(broken), "not-an-image")
    done = rows(output)
    assert set(done) == {str(album / name) for name in _names()}
    assert done[str(album / "cat.png")]["caption_en"] == said[photos.CAT]
    assert done[str(album / "cat.png")]["caption_uk"]
    assert 0 < float(str(done[str(album / "cat.png")]["score_uk"])) < 1
    assert oko("caption", *arguments).returncode == 2, "an output is not replaced unasked"
    assert rows(output) == done

    shutil.copy(photos.COFFEE, broken)
    again = oko("caption", *arguments, "--resume")
    assert again.returncode == 0, again.stderr
    assert "1 captioned, 3 had captions already" in again.stderr
    after = rows(output)
    assert after.pop(str(broken))["caption_en"] == said[photos.COFFEE]
    assert after == done
    assert not failures.exists()

    other = oko("caption", album, "--output", output, "--resume")
    assert other.returncode == 2
    assert "other columns" in other.stderr
    anew = oko("caption", album / "cat.png", "--output", output, "--overwrite", "--quiet")
    assert (anew.returncode, anew.stderr) == (0, "")
    assert list(rows(output)) == [str(album / "cat.png")]


def _names() -> tuple[str, str, str]:
    return "cat.png", "deep/coffee.PNG", "deep/er/rocket.jpg"


def test_sidecars_and_descriptions_are_kept_unless_told(album: Path, said: dict[Path, str]) -> None:
    (album / "cat.txt").write_text("my cat\n")
    before = Image.open(album / "deep" / "er" / "rocket.jpg").tobytes()
    (album / "deep" / "er" / "rocket.jpg").chmod(0o640)
    first = oko("caption", album, "--sidecar")
    assert first.returncode == 0
    assert "2 captioned, 1 had captions already" in first.stderr
    assert (album / "cat.txt").read_text() == "my cat\n"
    assert (album / "deep" / "coffee.txt").read_text() == said[photos.COFFEE] + "\n"
    second = oko("caption", album, "--sidecar", "--write-metadata")
    assert "3 captioned" in second.stderr
    assert (album / "cat.txt").read_text() == "my cat\n"
    assert said[photos.CAT].encode() in (album / "cat.png").read_bytes()
    rocket = album / "deep" / "er" / "rocket.jpg"
    assert Image.open(rocket).tobytes() == before
    assert rocket.stat().st_mode & 0o777 == 0o640
    third = oko("caption", album, "--sidecar", "--write-metadata")
    assert "0 captioned, 3 had captions already" in third.stderr
    fourth = oko("caption", album / "cat.png", "--sidecar", "--overwrite")
    assert fourth.returncode == 0
    assert (album / "cat.txt").read_text() == said[photos.CAT] + "\n"
    assert not [path for path in album.rglob(".*") if path.is_file() and "cat.png" not in path.name]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b'line\nbreak \xff, "quoted".png')
    shutil.copy(photos.CAT, strange)
    output = tmp_path / "captions.jsonl"
    assert oko("caption", tmp_path, "--output", output).returncode == 0
    assert list(rows(output)) == [str(strange)]


def test_a_running_service_says_the_same(album: Path, stack: Stack) -> None:
    here = oko("caption", album, "--language", "uk")
    there = oko("caption", album, "--language", "uk", "--url", stack.url)
    assert there.returncode == 0, there.stderr
    assert there.stdout == here.stdout
    (album / "broken.jpg").write_bytes(b"no image")
    some = oko("caption", album, album / "missing.jpg", "--url", stack.url)
    assert some.returncode == 1
    assert "broken.jpg: " in some.stderr
    assert "missing.jpg: " in some.stderr
    unknown = oko("caption", album, "--language", "xx", "--url", stack.url)
    assert unknown.returncode == 2
    assert "en, uk" in unknown.stderr


def test_no_service_is_a_clear_error(album: Path) -> None:
    done = oko("caption", album, "--url", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_run_keeps_what_is_done(tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for index in range(300):
        (many / f"{index}.jpg").symlink_to(photos.ROCKET)
    output = tmp_path / "captions.parquet"
    command = [sys.executable, "-m", "oko", "caption", str(many), "--output", str(output)]
    running = subprocess.Popen(
        command,
        env=environment(),
        stderr=subprocess.PIPE,
        # Ignored in what a shell runs in the background, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    gathered = tmp_path / "captions.parquet.rows"
    end = time.monotonic() + 90
    while not gathered.exists() or gathered.stat().st_size == 0:
        assert time.monotonic() < end
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130, said
    assert b"Traceback" not in said
    assert 0 < len(rows(output)) < 300
    assert not gathered.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "captions.txt"], ".jsonl, .csv or .parquet"),
        (["--resume"], "--resume needs --output"),
        (["--resume", "--overwrite", "--output", "a.csv"], "exclude each other"),
        (["--output", "missing/captions.csv"], "No such file"),
        (["--models", "missing"], "OKO_MODELS_DIR"),
    ],
)
def test_what_cannot_work_is_said_at_once(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = oko("caption", photos.CAT, *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
