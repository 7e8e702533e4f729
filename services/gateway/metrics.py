"""Metrics that only the gateway has."""

from prometheus_client import Counter, Gauge

from services.common.metrics import ServiceMetrics

BREAKER_LEVEL = {"closed": 0, "half-open": 1, "open": 2}


class GatewayMetrics(ServiceMetrics):
    def __init__(self) -> None:
        super().__init__("gateway")
        self.images_in_flight = Gauge(
            "oko_gateway_images_in_flight", "Images being captioned.", registry=self.registry
        )
        self.upload_bytes = Gauge(
            "oko_gateway_upload_bytes", "Bytes of uploads held in memory.", registry=self.registry
        )
        self.upstream_requests = Counter(
            "oko_upstream_requests_total",
            "Attempts at an upstream, by outcome (a status, or the kind of failure).",
            ("upstream", "outcome"),
            registry=self.registry,
        )
        self.upstream_retries = Counter(
            "oko_upstream_retries_total", "Further attempts.", ("upstream",), registry=self.registry
        )
        self.upstream_replicas = Gauge(
            "oko_upstream_replicas",
            "Addresses of an upstream, by whether they can be used.",
            ("upstream", "state"),
            registry=self.registry,
        )
        self.breaker = Gauge(
            "oko_upstream_breaker",
            "Circuit breaker of an address: 0 closed, 1 half-open, 2 open.",
            ("upstream", "address"),
            registry=self.registry,
        )
        self.caption_cache = Counter(
            "oko_caption_cache_total",
            "Look-ups among the finished captions.",
            ("outcome",),
            registry=self.registry,
        )
        self.captions = Counter(
            "oko_gateway_captions_total",
            "Captions answered; `cache` is `caption` when it was finished before, else what the "
            "features were.",
            ("language", "cache"),
            registry=self.registry,
        )
