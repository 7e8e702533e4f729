"""`oko batch --engine local` with the real models."""

import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest

from oko.batch.parquet import Columns
from oko.batch.plan import OtherRequest
from oko.batch.run import Options, caption
from tests.batch import inputs
from tests.batch.outputs import Output
from tests.processes import REPOSITORY


def options(source: Path | str, output: Path | str, **other: object) -> Options:
    values: dict[str, object] = {
        "input": str(source),
        "output": str(output),
        "kind": None,
        "columns": Columns(key="name"),
        "records": 4,
        "languages": ("en",),
        "beam_size": 2,
        "max_words": 8,
        "models": None,
        "cores": 2,
    }
    return Options(**values | other)  # type: ignore[arg-type]


def test_captions_and_dead_letters(tmp_path: Path) -> None:
    files = inputs.jpegs(9) | {"000003b.jpg": inputs.BROKEN, "000004b.jpg": b""}
    source = inputs.folder(tmp_path / "in", files)
    report = caption(options(source, tmp_path / "out", languages=("en", "uk")))
    output = Output(tmp_path / "out")
    assert [Path(key).name for key in output.keys] == sorted(files)
    assert report.captioned == 9
    assert {Path(row["key"]).name: row["code"] for row in output.dead_letters} == {
        "000003b.jpg": "not-an-image",
        "000004b.jpg": "empty-image",
    }
    for row in output.captions:
        assert row["digest"].startswith("sha256:")
        assert row["caption_en"].isascii()
        assert not row["caption_uk"].isascii()
        assert 0 < row["score_en"] <= 1
    assert b"oko:encoder" in pq.read_schema(output.parts[0]).metadata
    assert not (tmp_path / "out" / "_temporary").exists()


def test_the_same_again_does_nothing_and_a_lost_part_is_done_again(tmp_path: Path) -> None:
    source = inputs.folder(tmp_path / "in", inputs.jpegs(9))
    caption(options(source, tmp_path / "out"))
    output = Output(tmp_path / "out")
    before = output.captions
    inputs.folder(tmp_path / "in", {"000000a.jpg": b"came later: must not move the others"})
    assert caption(options(source, tmp_path / "out")).captioned == 0
    output.parts[1].unlink()
    assert caption(options(source, tmp_path / "out", records=None)).captioned == 4
    assert [row["key"] for row in output.captions] == [row["key"] for row in before]


def test_another_request_into_the_same_output_is_refused(tmp_path: Path) -> None:
    source = inputs.folder(tmp_path / "in", inputs.jpegs(1))
    caption(options(source, tmp_path / "out"))
    with pytest.raises(OtherRequest, match="beam_size"):
        caption(options(source, tmp_path / "out", beam_size=1))


def test_killed_and_resumed(tmp_path: Path) -> None:
    files = inputs.jpegs(24)
    source = inputs.folder(tmp_path / "in", files)
    command = (sys.executable, "-m", "oko.batch", str(source), str(tmp_path / "out"))
    engine = ("--engine", "local", "--records", "2")
    output = Output(tmp_path / "out")
    running = subprocess.Popen([*command, *engine], cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while len(output.parts) < 3:
        assert time.monotonic() < end
        assert running.poll() is None
        time.sleep(0.02)
    running.kill()
    running.wait()
    assert 0 < len(output.captions) < len(files)
    done = subprocess.run([*command, *engine], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"are there already" in done.stderr
    assert [Path(key).name for key in output.keys] == sorted(files)


def test_shards_of_an_indexed_job(tmp_path: Path) -> None:
    """Two processes share the partitions; the second waits for the plan of the first."""
    files = inputs.jpegs(12)
    source = inputs.parquet(tmp_path / "photos.parquet", files)
    command = (sys.executable, "-m", "oko.batch", str(source), str(tmp_path / "out"))
    rest = ("--engine", "local", "--records", "3", "--key-column", "name", "--shard")
    second = subprocess.Popen([*command, *rest, "1/2"], cwd=REPOSITORY)
    first = subprocess.Popen([*command, *rest, "0/2"], cwd=REPOSITORY)
    assert first.wait(120) == 0
    assert second.wait(120) == 0
    assert Output(tmp_path / "out").keys == sorted(files)


def test_a_shard_longer_than_a_part(tmp_path: Path) -> None:
    files = inputs.jpegs(9)
    source = inputs.shard(tmp_path / "0.tar", files)
    caption(options(source, tmp_path / "out"))
    output = Output(tmp_path / "out")
    assert [path.name for path in output.parts] == [
        "part-00000000-0000.parquet",
        "part-00000000-0001.parquet",
        "part-00000000-0002-last.parquet",
    ]
    assert [key.partition("#")[2] for key in output.keys] == sorted(files)
    output.parts[1].unlink()
    assert caption(options(source, tmp_path / "out")).captioned == 9
    assert [key.partition("#")[2] for key in output.keys] == sorted(files)


def test_any_filesystem(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    for name, data in inputs.jpegs(3).items():
        memory.pipe_file(f"/photos/{name}", data)
    caption(options("memory://photos", "memory://out"))
    (part,) = memory.ls("/out/captions", detail=False)
    with memory.open(part) as file:
        assert pq.read_table(file).num_rows == 3
    assert not memory.exists("/out/_temporary")


def test_unusable_input_is_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "oko.batch", str(tmp_path / "none"), str(tmp_path / "out")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "There is nothing at" in done.stderr
    assert "Traceback" not in done.stderr
