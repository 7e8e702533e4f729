"""Metrics that only the encoder has."""

from prometheus_client import Counter, Gauge, Histogram

from services.common.metrics import ServiceMetrics


class EncoderMetrics(ServiceMetrics):
    def __init__(self) -> None:
        super().__init__("encoder")
        self.batch_size = Histogram(
            "oko_encoder_batch_size",
            "Photos in one run of the model.",
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 32, 64),
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "oko_encoder_batch_seconds",
            "One run of the model.",
            buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 4),
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "oko_encoder_queue_depth", "Photos waiting for a run.", registry=self.registry
        )
        self.cache = Counter(
            "oko_cache_total",
            "Look-ups in the feature cache.",
            ("outcome",),
            registry=self.registry,
        )

    def observe_batch(self, size: int, seconds: float) -> None:
        self.batch_size.observe(size)
        self.batch_seconds.observe(seconds)
