"""W3C trace context (https://www.w3.org/TR/trace-context/): read, continue, pass on."""

import re
import secrets
from dataclasses import dataclass
from typing import Self

HEADER = "traceparent"
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """This request's place in a trace: ids as lower-case hexadecimal."""

    trace_id: str
    span_id: str
    parent_id: str | None
    flags: str = "00"

    @classmethod
    def continued(cls, header: str | None) -> Self:
        """A child of the caller's span; a new trace when there is none or it is not valid."""
        match = _FORM.fullmatch(header or "")
        if match is None or match[1] == "ff" or not int(match[2], 16) or not int(match[3], 16):
            return cls(secrets.token_hex(16), secrets.token_hex(8), None)
        return cls(match[2], secrets.token_hex(8), match[3], match[4])

    def to_header(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"
