"""The optional shared secret between the gateway and the inner services."""

import hmac

from fastapi import Request
from pydantic import SecretStr

from services.common.errors import Forbidden, Unauthorized
from services.common.wire import INTERNAL_TOKEN


class InternalToken:
    """A FastAPI dependency."""

    def __init__(self, token: SecretStr | None) -> None:
        self._token = token.get_secret_value().encode() if token else None

    async def __call__(self, request: Request) -> None:
        """Raises `Unauthorized` or `Forbidden` unless the caller knows the secret."""
        if self._token is None:
            return
        given = request.headers.get(INTERNAL_TOKEN)
        if given is None:
            raise Unauthorized(f"Only the gateway is answered here: {INTERNAL_TOKEN} is missing.")
        if not hmac.compare_digest(given.encode(), self._token):
            raise Forbidden(f"The value of {INTERNAL_TOKEN} is not the one configured here.")
