"""Tables of captions: what a killed process leaves, and how a run goes on from there."""

import csv
import io
import json
import os
import resource
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from oko.outputs.csv_table import CsvTable
from oko.outputs.jsonl import JsonLines
from oko.outputs.output import CannotWrite, Output, UnusableOutput
from oko.outputs.parquet import ParquetTable
from oko.rows import Best, Row

Opened = Callable[..., Output]
KINDS: dict[str, Opened] = {".jsonl": JsonLines, ".csv": CsvTable, ".parquet": ParquetTable}
STRANGE = os.fsdecode(b'a\n"b", \xff.jpg')
PATHS = ["a.jpg", 'quoted "name", 2.jpg', "two\nlines.jpg", "кіт.jpg"]


def row(path: str) -> Row:
    return Row(path, {"en": Best("a cat", 0.25), "uk": Best("кіт, «їжак»", 0.5)})


def opened(path: Path, *, resume: bool = False, overwrite: bool = False) -> Output:
    return KINDS[path.suffix](path, ["en", "uk"], resume=resume, overwrite=overwrite)


def written(path: Path, rows: Sequence[str]) -> Path:
    output = opened(path)
    for each in rows:
        output.write(row(each))
    output.close()
    return path


def paths(path: Path) -> list[object]:
    if path.suffix == ".jsonl":
        return [json.loads(line)["path"] for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        text = path.read_bytes().decode(errors="surrogateescape")
        return [each["path"] for each in csv.DictReader(io.StringIO(text, newline=""))]
    return [each["path"] for each in pq.read_table(path).to_pylist()]


@pytest.fixture(params=KINDS)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"captions{request.param}"


def test_every_row_once_however_often_resumed(table: Path) -> None:
    for count in range(len(PATHS) + 1):
        output = opened(table, resume=True)
        assert [path for path in PATHS if output.wants(path)] == PATHS[max(0, count - 1) :]
        if count:
            output.write(row(PATHS[count - 1]))
        output.close()
    assert paths(table) == PATHS


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_killed_at_any_byte(tmp_path: Path, suffix: str) -> None:
    whole = written(tmp_path / f"whole{suffix}", PATHS).read_bytes()
    for end in range(len(whole)):
        table = tmp_path / f"{end}{suffix}"
        table.write_bytes(whole[:end])
        output = opened(table, resume=True)
        for path in PATHS:
            if output.wants(path):
                output.write(row(path))
        output.close()
        assert table.read_bytes() == whole
        table.unlink()


def test_parquet_killed_at_any_byte_of_its_rows(tmp_path: Path) -> None:
    gathered = written(tmp_path / "rows.jsonl", PATHS[1:]).read_bytes()
    for end in range(0, len(gathered) + 1, 7):
        table = written(tmp_path / "captions.parquet", PATHS[:1])
        table.with_name("captions.parquet.rows").write_bytes(gathered[:end])
        output = opened(table, resume=True)
        for path in PATHS:
            if output.wants(path):
                output.write(row(path))
        output.close()
        assert paths(table) == PATHS
        table.unlink()


def test_parquet_killed_between_its_new_file_and_the_end(tmp_path: Path) -> None:
    table = written(tmp_path / "captions.parquet", PATHS)
    rows = written(tmp_path / "rows.jsonl", PATHS).read_bytes()
    table.with_name("captions.parquet.rows").write_bytes(rows)
    opened(table, resume=True).close()
    assert paths(table) == PATHS


def test_an_output_is_not_replaced_unasked(table: Path) -> None:
    written(table, PATHS)
    before = table.read_bytes()
    with pytest.raises(UnusableOutput, match="--resume"):
        opened(table)
    assert table.read_bytes() == before
    opened(table, overwrite=True).close()
    assert paths(table) == []


def test_other_languages_do_not_mix(table: Path) -> None:
    written(table, PATHS)
    with pytest.raises(UnusableOutput, match="other columns"):
        KINDS[table.suffix](table, ["en"], resume=True, overwrite=False)


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    for suffix in (".jsonl", ".csv"):
        table = written(tmp_path / f"captions{suffix}", PATHS)
        first, _, rest = table.read_bytes().partition(b"\n")
        table.write_bytes(first + b"\nnot a record\n" + rest)
        with pytest.raises(UnusableOutput, match="damaged"):
            opened(table, resume=True)


def test_one_process_at_a_time(table: Path) -> None:
    output = opened(table)
    with pytest.raises(UnusableOutput, match="another process"):
        opened(table, resume=True)
    output.close()
    opened(table, resume=True).close()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_names_that_are_no_unicode_come_back(tmp_path: Path, suffix: str) -> None:
    table = written(tmp_path / f"captions{suffix}", [STRANGE])
    assert paths(table) == [STRANGE]
    assert not opened(table, resume=True).wants(STRANGE)


def test_parquet_refuses_names_that_are_no_unicode(tmp_path: Path) -> None:
    output = opened(tmp_path / "captions.parquet")
    with pytest.raises(CannotWrite, match="Unicode"):
        output.write(row(STRANGE))
    output.close()


def test_a_full_disk_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    output = opened(tmp_path / "captions.jsonl")
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, size[1]))
        with pytest.raises(UnusableOutput, match="cannot be written"):
            output.write(row("a.jpg"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
        signal.signal(signal.SIGXFSZ, ignored)
