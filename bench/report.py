"""Figures → `results.md`: what was aimed at, and every figure behind it."""

import os
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import onnxruntime

from bench import room
from bench.comparison import CROWD, PEERS
from bench.figures import FLOAT32, SERVED, SERVED_OF_FLOAT32, Encoder, Figures
from bench.service import CONCURRENCY

LEVELS = {
    "uncached": "uncached",
    "features_cached": "features cached",
    "caption_cached": "caption cached",
}


@dataclass(frozen=True)
class Aim:
    """`value` is compared with `bound`: `≤` or `≥`."""

    what: str
    value: Callable[[Figures], float]
    sense: str
    bound: float
    unit: str = "×"

    def row(self, figures: Figures) -> tuple[str, str, str, str]:
        value = self.value(figures)
        holds = value <= self.bound if self.sense == "≤" else value >= self.bound
        unit = self.unit if self.unit == "×" else f" {self.unit}"
        shown = f"{value:.2f}" if value < 100 else f"{value:.0f}"
        return self.what, f"{shown}{unit}", f"{self.sense} {self.bound:g}{unit}", _mark(holds)


def encoder_gflops(figures: Figures) -> float:
    return 1000 * figures["encoder_gflop"] / figures["encoder_best_ms"]


def bare_per_second(figures: Figures) -> float:
    return 1000 / figures["encoder_served_ms"]


def throughput(figures: Figures) -> float:
    return figures[f"uncached_{CROWD}_per_s"]


def of_encoders(
    what: str,
    value: Callable[[Figures, Encoder], float],
    sense: str,
    bound: float,
    encoders: Iterable[Encoder] = (SERVED, FLOAT32),
) -> Iterator[Aim]:
    """An aim for each encoder that a service is measured against."""
    for encoder in encoders:
        measured = partial(value, encoder=encoder)
        yield Aim(f"{what}, {encoder.title}", measured, sense, bound)


AIMS = (
    Aim(
        "bare encoder, of the machine's `sgemm` rate",
        lambda f: encoder_gflops(f) / f["sgemm_gflops"],
        "≥",
        0.95,
    ),
    *of_encoders(
        "uncached caption, beam 3, against a run of the bare encoder",
        lambda f, encoder: f[f"{encoder.prefix}uncached_1_p50_ms"] / f[encoder.alone],
        "≤",
        room.LATENCY,
        (SERVED, FLOAT32, SERVED_OF_FLOAT32),
    ),
    Aim("12 megapixels add", lambda f: f["uncached_12_megapixels_adds_ms"], "≤", 60, "ms"),
    *of_encoders(
        "features cached, of uncached, p50",
        lambda f, encoder: (
            f[f"{encoder.prefix}features_cached_1_p50_ms"] / f[f"{encoder.prefix}uncached_1_p50_ms"]
        ),
        "≤",
        room.FEATURES_CACHED,
    ),
    Aim("caption cached, p50", lambda f: f["caption_cached_1_p50_ms"], "≤", 5, "ms"),
    Aim(
        "words a second, 16 captions at once against one at a time",
        lambda f: f["decoder_16_words_per_s"] / f["decoder_1_words_per_s"],
        "≥",
        4,
    ),
    Aim(
        "11 words, beam 3, of TensorFlow eager's greedy decoding",
        lambda f: f["decoder_11_words_ms"] / f["eager_decoder_ms"],
        "≤",
        0.1,
    ),
    *of_encoders(
        "throughput of 16 uncached at once, of the bare encoder's",
        lambda f, encoder: f[f"{encoder.prefix}uncached_{CROWD}_per_s"] * f[encoder.best] / 1000,
        "≥",
        room.THROUGHPUT,
        (SERVED, FLOAT32, SERVED_OF_FLOAT32),
    ),
    *(
        Aim(
            f"the same, as served, against {PEERS[name]}",
            lambda f, name=name: throughput(f) / f[f"{name}_{CROWD}_per_s"],
            "≥",
            bound,
        )
        for name, bound in (("eager", 7), ("function", 1.2), ("plain", 1.2), ("blip", 10))
    ),
    *(
        Aim(f"resident memory, {name}", lambda f, n=name: f[f"{n}_resident_mb"], "≤", bound, "MB")
        for name, bound in (("encoder", 450), ("decoder", 250), ("gateway", 120))
    ),
    *(
        Aim(f"cold start, {name}", lambda f, n=name: f[f"{n}_cold_start_s"], "≤", 5, "s")
        for name in ("encoder", "decoder", "gateway")
    ),
    Aim(
        "pruned encoder, of the float32 one's time",
        lambda f: f["encoder_pruned_ms"] / f["encoder_best_ms"],
        "≤",
        0.6,
    ),
)


def markdown(figures: Figures) -> str:
    return "\n\n".join(
        (
            "# Benchmark",
            "Written by `make bench`; all figures are of one run. " + _machine(figures),
            "## Aims",
            _table(("what", "measured", "aim", ""), (aim.row(figures) for aim in AIMS)),
            "What an aim leaves beside the encoder, and what decoding the photo and the caption "
            "take of it, each measured alone (below). What is left is for HTTP, caches and JSON in "
            "three services. Of throughput, in milliseconds of a core per photo.",
            _table(room.HEAD, room.rows(figures)),
            "## Against others",
            "Each answers over HTTP on the same machine, asked by the same client. A photo of "
            "640×427 that no cache knows.",
            _peers(figures),
            "![Throughput](throughput.svg)",
            "## Over HTTP",
            "At the gateway, beam of three, attention included. Refused: 503, since the answer "
            "would have come too late.",
            _service(figures),
            "![Latency](latency.svg)",
            f"A photo of 12 megapixels takes {figures['uncached_12_megapixels_p50_ms']:.0f} ms; an "
            "ordinary one that comes when nothing was asked for a tenth of a second "
            f"{figures['uncached_after_a_pause_p50_ms']:.0f} ms.",
            "With the float32 encoder, which processors without VNNI take: "
            f"{figures['float32_uncached_1_p50_ms']:.0f} ms uncached, "
            f"{figures['float32_features_cached_1_p50_ms']:.1f} ms with features cached, "
            f"{figures[f'float32_uncached_{CROWD}_per_s']:.1f} captions/s for {CROWD} at once.",
            "## Stages",
            "Each alone, in one process.",
            _table(
                ("stage", "ms", "of the encoder's run"),
                (
                    (
                        name.removesuffix("_ms").replace("_", " "),
                        f"{figures[name]:.2f}",
                        f"{figures[name] / figures['encoder_run_ms']:.1%}",
                    )
                    for name in STAGES
                ),
            ),
            "## Encoder and decoder",
            _table(("what", "figure"), _engines(figures)),
            "",
        )
    )


STAGES = (
    "jpeg_decode_ms",
    "jpeg_decode_and_resize_ms",
    "jpeg_12_megapixels_decode_and_resize_ms",
    "encoder_run_ms",
    "features_pack_and_unpack_ms",
    "decoder_init_ms",
    "decoder_step_ms",
    "beam_search_ms",
    "caption_json_ms",
)


def _peers(figures: Figures) -> str:
    ours = figures["uncached_1_p50_ms"]
    rows = [("Oko", f"{ours:.0f} ms", "1", f"{throughput(figures):.2f}", "1")]
    rows += [
        (
            title,
            f"{figures[f'{name}_1_p50_ms']:.0f} ms",
            f"{figures[f'{name}_1_p50_ms'] / ours:.2f}×",
            f"{figures[f'{name}_{CROWD}_per_s']:.2f}",
            f"{figures[f'{name}_{CROWD}_per_s'] / throughput(figures):.2f}×",
        )
        for name, title in PEERS.items()
    ]
    head = ("who", "one at a time, p50", "of Oko's", f"{CROWD} at once, captions/s", "of Oko's")
    return _table(head, rows)


def _service(figures: Figures) -> str:
    keys = ("p50_ms", "p95_ms", "p99_ms", "per_s", "refused")
    head = ("photo", "at once", "p50 ms", "p95 ms", "p99 ms", "captions/s", "refused")
    return _table(
        head,
        (
            (title, str(many), *(_short(figures[f"{level}_{many}_{key}"]) for key in keys))
            for level, title in LEVELS.items()
            for many in CONCURRENCY
        ),
    )


def _engines(figures: Figures) -> Iterable[tuple[str, str]]:
    yield "`sgemm`, all threads", f"{figures['sgemm_gflops']:.0f} GFLOP/s"
    yield "encoder's arithmetic", f"{figures['encoder_gflop']:.2f} GFLOP"
    yield "encoder, best layout", f"{encoder_gflops(figures):.0f} GFLOP/s"
    for name in ("all_threads", "all_threads_4_at_once", "a_core_per_photo"):
        rate = figures[f"encoder_{name}_per_s"]
        yield f"encoder, {name.replace('_', ' ')}", f"{rate:.2f} photos/s"
    yield "encoder as it is served", f"{bare_per_second(figures):.2f} photos/s"
    yield "encoder, pruned", f"{1000 / figures['encoder_pruned_ms']:.2f} photos/s"
    yield (
        "one run with nothing beside it, as served, pruned and float32",
        f"{figures['encoder_served_alone_ms']:.1f}, {figures['encoder_pruned_alone_ms']:.1f} and "
        f"{figures['encoder_alone_ms']:.1f} ms",
    )
    yield (
        "encoder, ONNX Runtime's own defaults",
        f"{figures['encoder_stock_per_s']:.2f} photos/s",
    )
    for many in (1, 4, 16):
        yield f"decoder, {many} at once", f"{figures[f'decoder_{many}_words_per_s']:.0f} words/s"
    yield "decoder, one caption", f"{figures['decoder_caption_ms']:.1f} ms"
    yield (
        "TensorFlow eager, encoder and 11 words",
        (f"{figures['eager_encoder_ms']:.0f} ms and {figures['eager_decoder_ms']:.0f} ms"),
    )


def _machine(figures: Figures) -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return (
        f"Machine: {os.cpu_count()} cores of {model}, `sgemm` {figures['sgemm_gflops']:.0f} "
        f"GFLOP/s; Python {platform.python_version()}, ONNX Runtime {onnxruntime.__version__}."
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _mark(holds: bool) -> str:
    return "holds" if holds else "**missed**"
