"""One trace through all services, sent to a collector."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.pictures import fresh_photo
from tests.processes import running_stack

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """Keeps the spans that are sent to it: name of the service, span, parent, by trace."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, bytes, bytes, bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            names = {item.key: item.value.string_value for item in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    (names["service.name"], span.trace_id, span.span_id, span.parent_span_id)
                    for span in scope.spans
                ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()


def test_one_trace_through_all_services(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("traces")
    with running_stack(folder, otlp_endpoint=collector.url) as stack:
        answer = httpx.post(
            f"{stack.url}/v1/captions",
            content=fresh_photo(),
            headers={"traceparent": PARENT},
            timeout=60,
        )
        assert answer.status_code == 200
    trace_id, parent_id = (bytes.fromhex(part) for part in PARENT.split("-")[1:3])
    end = time.monotonic() + 20
    while time.monotonic() < end:
        spans = {span[0]: span for span in collector.spans if span[1] == trace_id}
        if len(spans) == 3:
            break
        time.sleep(0.1)
    assert set(spans) == {"oko-gateway", "oko-encoder", "oko-decoder"}
    assert spans["oko-gateway"][3] == parent_id
    assert spans["oko-encoder"][3] == spans["oko-gateway"][2]
    assert spans["oko-decoder"][3] == spans["oko-gateway"][2]
