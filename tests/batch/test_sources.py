"""Every record of every kind of input is in exactly one partition, whatever its state."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oko.batch.files import Files, list_files
from oko.batch.listing import found, kind_of
from oko.batch.parquet import Columns, Rows, list_rows
from oko.batch.sources import Kind, Partition, Source, UnreadableRecord, UnusableInput
from oko.batch.storage import Folder
from oko.batch.webdataset import Shards, list_shards
from services.common.errors import BodyTooLarge, OkoError
from tests.batch import inputs

PHOTOS = {f"{index:03}.jpg": b"%d" % index for index in range(50)}
MAX_BYTES = 1000


def read(source: Source, partitions: list[Partition]) -> list[tuple[str, bytes | str]]:
    """Keys with bytes, or the code of the problem."""
    records = []
    for partition in partitions:
        for record in source.records(partition):
            try:
                records.append((record.key, record.load()))
            except OkoError as error:
                records.append((record.key, error.code))
    return records


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 50), size=st.integers(1, 60))
def test_files(tmp_path_factory: pytest.TempPathFactory, count: int, size: int) -> None:
    path = tmp_path_factory.mktemp("files")
    photos = dict(list(PHOTOS.items())[:count])
    inputs.folder(path / "photos" / "nested", photos)
    output = Folder(str(path / "out"))
    partitions = list(list_files(found(str(path / "photos"), Kind.FILES), size, output))
    assert [partition.number for partition in partitions] == list(range(-(-count // size)))
    assert [data for _, data in read(Files(output, MAX_BYTES), partitions)] == list(photos.values())


def test_a_file_that_is_gone_or_too_large_is_a_record_too(tmp_path: Path) -> None:
    inputs.folder(tmp_path / "photos", {"a.jpg": b"a", "b.jpg": b"b" * 2000, "ü c.jpg": b"c"})
    output = Folder(str(tmp_path / "out"))
    partitions = list(list_files(found(str(tmp_path / "photos"), Kind.FILES), 10, output))
    (tmp_path / "photos" / "a.jpg").unlink()
    found_ = [data for _, data in read(Files(output, MAX_BYTES), partitions)]
    assert found_ == ["not-found", BodyTooLarge.code, b"c"]


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 50), size=st.integers(1, 60), group=st.integers(1, 60))
def test_parquet_bytes(
    tmp_path_factory: pytest.TempPathFactory, count: int, size: int, group: int
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "photos.parquet"
    photos = dict(list(PHOTOS.items())[:count])
    inputs.parquet(path, photos, group)
    columns = Columns(key="name")
    partitions = list(list_rows([str(path)], size, columns))
    assert read(Rows(columns, MAX_BYTES), partitions) == list(photos.items())


def test_parquet_addresses(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    photos = inputs.folder(tmp_path / "photos", PHOTOS)
    urls = [*(f"file://{photos / name}" for name in PHOTOS), "file:///nowhere.jpg", None]
    pq.write_table(pa.table({"uri": urls}), tmp_path / "photos.parquet")
    partitions = list(list_rows([str(tmp_path / "photos.parquet")], 7, Columns()))
    records = read(Rows(Columns(), MAX_BYTES), partitions)
    assert [data for _, data in records] == [*PHOTOS.values(), "not-found", "unreadable-record"]
    assert len({key for key, _ in records}) == len(urls)


def test_parquet_without_such_columns(tmp_path: Path) -> None:
    path = inputs.parquet(tmp_path / "photos.parquet", PHOTOS)
    with pytest.raises(UnusableInput, match="--image-column"):
        list(list_rows([str(path)], 7, Columns(image="picture")))


def test_webdataset(tmp_path: Path) -> None:
    path = inputs.shard(tmp_path / "0.tar", PHOTOS)
    records = read(Shards(MAX_BYTES), list(list_shards([str(path)])))
    assert records == [(f"{path}#{name}", data) for name, data in PHOTOS.items()]


@pytest.mark.parametrize("length", [30_000, 30_720, 51_200])
def test_a_cut_off_shard_gives_what_it_has(tmp_path: Path, length: int) -> None:
    path = inputs.shard(tmp_path / "0.tar", PHOTOS)
    path.write_bytes(path.read_bytes()[:length])
    records = Shards(MAX_BYTES).records(next(iter(list_shards([str(path)]))))
    taken: list[str] = []
    with pytest.raises(UnreadableRecord):
        taken.extend(record.key for record in records)
    assert 10 < len(taken) < len(PHOTOS)


def test_kinds_are_recognised(tmp_path: Path) -> None:
    inputs.folder(tmp_path / "files", PHOTOS | {"notes.txt": b""})
    inputs.parquet(tmp_path / "parquet" / "0.parquet", PHOTOS)
    inputs.shard(tmp_path / "shards" / "0.tar", PHOTOS)
    assert kind_of(str(tmp_path / "files")) is Kind.FILES
    assert kind_of(str(tmp_path / "files" / "*1.jpg")) is Kind.FILES
    assert kind_of(str(tmp_path / "files" / "001.jpg")) is Kind.FILES
    assert kind_of(str(tmp_path / "parquet")) is Kind.PARQUET
    assert kind_of(str(tmp_path / "shards" / "*.tar")) is Kind.WEBDATASET
    assert len(found(str(tmp_path / "files" / "*1.jpg"), Kind.FILES)) == 5
    assert len(found(str(tmp_path / "files"), Kind.FILES)) == len(PHOTOS)
    for nothing in (tmp_path, tmp_path / "none", tmp_path / "*.gif"):
        with pytest.raises(UnusableInput):
            kind_of(str(nothing))
