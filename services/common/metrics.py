"""Prometheus metrics that every service has."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 8, 15, 30)
"""Seconds. Dense between 50 ms and 1 s, where captions are answered."""


class ServiceMetrics:
    """One registry per application, so that several can live in one process."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "oko_requests_total",
            "Requests answered.",
            ("service", "route", "method", "status"),
            registry=self.registry,
        )
        self.latency = Histogram(
            "oko_request_seconds",
            "From the first byte of a request to the last byte of its answer.",
            ("service", "route"),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "oko_requests_in_flight", "Requests being served.", ("service",), registry=self.registry
        )
        self.stage = Histogram(
            "oko_stage_seconds",
            "Time spent in one stage of a request.",
            ("service", "stage"),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.problems = Counter(
            "oko_problems_total", "Problem answers.", ("service", "code"), registry=self.registry
        )
        self.shed = Counter(
            "oko_shed_total",
            "Work refused to keep the deadline of other work.",
            ("service", "reason"),
            registry=self.registry,
        )
        self.service = service

    def shed_one(self, reason: str) -> None:
        self.shed.labels(self.service, reason).inc()

    def observe_stage(self, stage: str, seconds: float) -> None:
        self.stage.labels(self.service, stage).observe(seconds)
