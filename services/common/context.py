"""What is known about one request while it is served."""

import time
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from services.common.trace import Trace

SCOPE_KEY = "oko"


@dataclass(slots=True)
class RequestContext:
    """Mutable on purpose: handlers add to it, the middleware reports it."""

    request_id: str
    trace: Trace
    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)
    """Milliseconds per stage, for `Server-Timing`."""
    facts: dict[str, str | int | float] = field(default_factory=dict)
    """Further values for the one log line of this request."""
    problem: str | None = None
    route: str | None = None
    """Set by what answers before there is routing."""
    quiet: bool = False
    """Only counted, not logged: a line for each of very many would help nobody."""

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000


def context_of(request: Request) -> RequestContext:
    return context_in(request.scope)


def context_in(scope: Scope) -> RequestContext:
    context = scope[SCOPE_KEY]
    assert isinstance(context, RequestContext)
    return context
