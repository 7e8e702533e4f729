"""Metrics that only the decoder has."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from services.common.metrics import ServiceMetrics


class DecoderMetrics(ServiceMetrics):
    def __init__(self) -> None:
        super().__init__("decoder")
        self.batch_size = Histogram(
            "oko_decoder_batch_size",
            "Captions in one step.",
            ("language",),
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64),
            registry=self.registry,
        )
        self.step_seconds = Histogram(
            "oko_decoder_step_seconds",
            "One step, search included.",
            ("language",),
            buckets=(0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5),
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "oko_decoder_queue_depth",
            "Captions waiting to join the batch.",
            ("language",),
            registry=self.registry,
        )
        self.captions = Counter(
            "oko_captions_total", "Captions decoded.", ("language",), registry=self.registry
        )
        self.words = Counter(
            "oko_words_total",
            "Words in the captions decoded.",
            ("language",),
            registry=self.registry,
        )

    def step_observer(self, language: str) -> Callable[[int, int, float], None]:
        size = self.batch_size.labels(language)
        seconds = self.step_seconds.labels(language)
        depth = self.queue_depth.labels(language)

        def observe(captions: int, waiting: int, took: float) -> None:
            size.observe(captions)
            seconds.observe(took)
            depth.set(waiting)

        return observe
