"""A client of Oko's HTTP API, for programs: `Client`, and `AsyncClient` for event loops.

from oko.client import Client

with Client("http://127.0.0.1:8000") as oko:
    print(oko.caption(Path("photo.jpg"), language="uk").caption)
"""

from oko.client.asynchronous import AsyncClient
from oko.client.errors import (
    AccessDenied,
    ClientError,
    Problem,
    RateLimited,
    Refused,
    TooLate,
    Unavailable,
    Unreachable,
)
from oko.client.results import Caption, Health, ImageFound, Language, StreamedWord, Word
from oko.client.synchronous import Client

__all__ = [
    "AccessDenied",
    "AsyncClient",
    "Caption",
    "Client",
    "ClientError",
    "Health",
    "ImageFound",
    "Language",
    "Problem",
    "RateLimited",
    "Refused",
    "StreamedWord",
    "TooLate",
    "Unavailable",
    "Unreachable",
    "Word",
]
