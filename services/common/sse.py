"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import json
from collections.abc import Mapping
from typing import Any

MEDIA_TYPE = "text/event-stream"


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """One event. JSON has no raw line breaks, so one `data:` line is enough."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
