"""API keys: who may use the service.

    python -m services.gateway.keys NAME

prints a new key and its line for `OKO_API_KEYS`. The configuration holds only hashes: SHA-256 is
enough, since the keys are 256 random bits and not passwords.
"""

import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from typing import Self

from starlette.datastructures import Headers

from services.common.errors import Forbidden, Unauthorized

HEADER = "X-API-Key"
_ENTRY = re.compile(r"([A-Za-z0-9_.-]{1,40}):([0-9a-f]{64})")


class ApiKeys:
    """Names by hash."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    @classmethod
    def read(cls, entries: Sequence[str]) -> Self:
        """Reads `name:sha256` entries. Raises `ValueError` on anything else."""
        names: dict[str, str] = {}
        for entry in entries:
            match = _ENTRY.fullmatch(entry.strip())
            if match is None:
                raise ValueError("each key must be NAME:SHA256, with the hash as 64 hex digits")
            names[match[2]] = match[1]
        return cls(names)

    def __bool__(self) -> bool:
        return bool(self._names)

    def caller(self, headers: Headers) -> str:
        """The name of the caller's key.

        Raises:
            Unauthorized: No key was sent.
            Forbidden: The key is not known.
        """
        given = headers.get(HEADER) or _bearer(headers.get("Authorization", ""))
        if not given:
            raise Unauthorized(f"Send your API key in the header {HEADER}, or as a bearer token.")
        found = hash_of(given)
        caller = None
        for known, name in self._names.items():  # every one is compared: time tells nothing
            if hmac.compare_digest(known, found):
                caller = name
        if caller is None:
            raise Forbidden("This API key is not known here.")
        return caller


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _bearer(value: str) -> str:
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def main() -> None:
    if len(sys.argv) != 2 or not _ENTRY.fullmatch(f"{sys.argv[1]}:{'0' * 64}"):
        sys.exit("usage: python -m services.gateway.keys NAME   (letters, digits, _ . -)")
    key = "oko_" + secrets.token_urlsafe(32)
    print(f"key, shown only now:   {key}")
    print(f"for OKO_API_KEYS:      {sys.argv[1]}:{hash_of(key)}")


if __name__ == "__main__":
    main()
