"""Spans: OpenTelemetry when a collector is configured, only passed-on ids when not."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from services.common import trace
from services.common.trace import Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Finish = Callable[[str, dict[str, str | int | float]], None]
"""Ends a span with its final name and attributes."""


class Tracer(Protocol):
    def begin(self, traceparent: str | None) -> tuple[Trace, Finish]: ...

    def close(self) -> None: ...


class PassedOn:
    """Makes ids that are consistent, and records nothing."""

    def begin(self, traceparent: str | None) -> tuple[Trace, Finish]:
        return Trace.continued(traceparent), lambda name, attributes: None

    def close(self) -> None:
        pass


class Exported:
    """A server span per request, sent to a collector from a background thread."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("oko")

    def begin(self, traceparent: str | None) -> tuple[Trace, Finish]:
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {trace.HEADER: traceparent} if traceparent else {}
        parent = TraceContextTextMapPropagator().extract(carrier)
        span = self._tracer.start_span("request", parent, SpanKind.SERVER)
        ids = span.get_span_context()

        def finish(name: str, attributes: dict[str, str | int | float]) -> None:
            span.update_name(name)
            span.set_attributes(attributes)
            if int(attributes.get("http.response.status_code", 0)) >= 500:
                span.set_status(Status(StatusCode.ERROR))
            span.end()

        return (
            Trace(
                f"{ids.trace_id:032x}", f"{ids.span_id:016x}", None, f"{int(ids.trace_flags):02x}"
            ),
            finish,
        )

    def close(self) -> None:
        self._provider.shutdown()


def tracer_for(service: str, endpoint: str | None) -> Tracer:
    """Imported only when wanted: OpenTelemetry takes a third of a second to load."""
    if endpoint is None:
        return PassedOn()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": f"oko-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=5)))
    return Exported(provider)
