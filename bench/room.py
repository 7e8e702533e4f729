"""What the aims leave for everything but the encoder."""

from collections.abc import Iterator

from bench.figures import FLOAT32, SERVED, Encoder, Figures

LATENCY, FEATURES_CACHED, THROUGHPUT = 1.25, 0.15, 0.95
"""Aims: of a run of the encoder, of an uncached caption, of the encoder's throughput."""

HEAD = ("aim", "leaves, ms", "photo and caption take, ms", "left, ms")


def rows(figures: Figures) -> Iterator[tuple[str, str, str, str]]:
    photo = figures["jpeg_decode_and_resize_ms"]
    alone = figures["decoder_caption_ms"]
    crowded = 1000 * figures["decoder_words_per_caption"] / figures["decoder_16_words_per_s"]
    for encoder in (SERVED, FLOAT32):
        for what, leaves, takes in (
            ("uncached, one at a time", _latency(figures, encoder), photo + alone),
            ("features cached", _features_cached(figures, encoder), alone),
            ("throughput of 16 uncached", _throughput(figures, encoder), photo + crowded),
        ):
            left = f"{leaves - takes:.1f}" if leaves > takes else "**nothing**"
            yield f"{what}, {encoder.title}", f"{leaves:.1f}", f"{takes:.1f}", left


def _latency(figures: Figures, encoder: Encoder) -> float:
    return (LATENCY - 1) * figures[encoder.alone]


def _features_cached(figures: Figures, encoder: Encoder) -> float:
    return FEATURES_CACHED * figures[f"{encoder.prefix}uncached_1_p50_ms"]


def _throughput(figures: Figures, encoder: Encoder) -> float:
    return figures["cores"] * figures[encoder.best] * (1 / THROUGHPUT - 1)
