"""The page's files come with strict headers; without them `/` says how to get them."""

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.gateway.page import install_page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Oko</title>")
    (tmp_path / "assets" / "page-4f2a.js").write_text("console.log(1);" * 50)
    (tmp_path / "assets" / "letters-9c1b.woff2").write_bytes(b"wOF2")
    return tmp_path


def client_of(folder: Path) -> httpx.AsyncClient:
    app = FastAPI()
    install_page(app, folder)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://oko.test")


async def test_without_the_page_the_root_says_how_to_build_it(tmp_path: Path) -> None:
    answer = await client_of(tmp_path).get("/")
    assert answer.status_code == 200
    assert "make web" in answer.text
    assert "/docs" in answer.text


async def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(folder: Path) -> None:
    answer = await client_of(folder).get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert not any(word in policy for word in ("unsafe", "http", "*"))
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_names_with_a_hash_are_kept_for_ever(folder: Path) -> None:
    client = client_of(folder)
    assert (await client.get("/")).headers["cache-control"] == "no-cache"
    assert "immutable" in (await client.get("/assets/page-4f2a.js")).headers["cache-control"]


async def test_text_is_compressed_for_who_takes_it(folder: Path) -> None:
    client = client_of(folder)
    script = (folder / "assets" / "page-4f2a.js").read_bytes()
    zipped = await client.get("/assets/page-4f2a.js", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/assets/page-4f2a.js", headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) == len(gzip.compress(script, 9, mtime=0))
    assert zipped.content == plain.content == script
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in (await client.get("/assets/letters-9c1b.woff2")).headers


async def test_what_has_not_changed_is_not_sent_again(folder: Path) -> None:
    client = client_of(folder)
    tag = (await client.get("/")).headers["etag"]
    again = await client.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/assets/../../secret", "/%2e%2e/secret", "/assets", "/nothing"])
async def test_only_the_files_of_the_page_are_served(folder: Path, path: str) -> None:
    assert (await client_of(folder).get(path)).status_code == 404
