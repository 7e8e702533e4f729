"""The web page at `/`: the files that `make web` built, from memory, with strict headers."""

import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' blob:",  # blob: the photos that the person has chosen
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Oko</title>
<h1>Oko is running, its page is not built</h1>
<p>The API works: see <a href="/docs">/docs</a>.
<p>To have the page, install Node.js 20.19 or newer, run <code>make web</code>
where Oko's source is, and start Oko again.
</html>
"""

_HASHED = "assets/"
"""Vite puts a hash of the content into the names here, so they can be kept for ever."""

_COMPRESSED_ALREADY = (".woff2", ".webp", ".png")

_TYPES = {
    # Not from the operating system's tables, which lack some and have others wrong.
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as it is answered. `zipped` is None where compression gains nothing."""

    content: bytes
    zipped: bytes | None
    headers: Mapping[str, str]

    @classmethod
    def of(cls, name: str, content: bytes) -> "PageFile":
        suffix = Path(name).suffix
        media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0]
        zipped = None if suffix in _COMPRESSED_ALREADY else gzip.compress(content, 9, mtime=0)
        for_ever = name.startswith(_HASHED)
        headers = {
            **SECURITY_HEADERS,
            "Content-Type": media_type or "application/octet-stream",
            "Cache-Control": "public, max-age=31536000, immutable" if for_ever else "no-cache",
            "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            "Vary": "Accept-Encoding",
        }
        return cls(content, zipped, headers)

    def response(self, request: Headers) -> Response:
        if request.get("if-none-match") == self.headers["ETag"]:
            return Response(status_code=304, headers=dict(self.headers))
        if self.zipped is not None and "gzip" in request.get("accept-encoding", ""):
            return Response(self.zipped, headers={**self.headers, "Content-Encoding": "gzip"})
        return Response(self.content, headers=dict(self.headers))


def read_page(folder: Path) -> dict[str, PageFile]:
    """The built files by path on the server; how to build them when they are not there."""
    if not (folder / "index.html").is_file():
        return {"/": PageFile.of("index.html", NOT_BUILT.encode())}
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    files = {f"/{name}": PageFile.of(name, (folder / name).read_bytes()) for name in sorted(names)}
    return {"/": files.pop("/index.html"), **files}


def install_page(app: FastAPI, folder: Path) -> None:
    """Adds a route for every file; a path that names none of them stays a 404 of the API."""
    for path, file in read_page(folder).items():
        app.add_route(path, _route(file), methods=["GET"], include_in_schema=False)


def _route(file: PageFile) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return file.response(request.headers)

    return serve
