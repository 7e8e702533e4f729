"""One engine per language, asked from an event loop."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from services.common.deadline import Deadline
from services.common.errors import FeatureModelMismatch, Overloaded, UnknownLanguage
from services.common.features import Features
from services.common.health import State
from services.common.manifest import DecoderModel, EncoderModel, Manifest
from services.decoder.captions import Caption, Word, to_captions, to_word
from services.decoder.engine import Engine, Job
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import Hypothesis, Node, SearchOptions
from services.decoder.session import DecoderSession
from services.decoder.settings import DecoderSettings
from services.decoder.vocabulary import Vocabulary


class Language:
    """A model, its vocabulary and the engine that runs it."""

    def __init__(
        self,
        model: DecoderModel,
        encoder: EncoderModel,
        settings: DecoderSettings,
        metrics: DecoderMetrics,
    ) -> None:
        self.model = model
        self._metrics = metrics
        self.cells, self.dimensions = encoder.cells, encoder.dimensions
        model.vocabulary.verify()
        self.vocabulary = Vocabulary.read(model.vocabulary.path)
        self.engine = Engine(
            DecoderSession(
                model,
                self.cells,
                self.dimensions,
                settings.decoder_threads,
                settings.decoder_precision,
            ),
            self.vocabulary,
            batch_size=settings.decoder_batch_size,
            queue_size=settings.decoder_queue_size,
            on_step=metrics.step_observer(model.language),
        )

    def require_encoder(self, digest: str | None) -> None:
        """Raises `FeatureModelMismatch` unless the features are of the paired encoder."""
        if digest is not None and digest != self.model.encoder:
            raise FeatureModelMismatch(
                f"The {self.model.language} decoder was trained on features of another encoder.",
                expected=self.model.encoder,
                found=digest,
            )

    async def decode(
        self, features: Features, options: SearchOptions, deadline: Deadline
    ) -> list[Caption]:
        """The best captions of one photo.

        Args:
            features: float16 [64, D].
            options: Beam size and the rest.
            deadline: When nobody waits any more.

        Raises:
            Overloaded, DeadlinePassed, ShuttingDown: As named.
        """
        async with aclosing(self.stream(features, options, deadline, words=False)) as events:
            async for event in events:
                if isinstance(event, list):
                    return event
        raise AssertionError("a stream ends with its captions")

    async def stream(
        self,
        features: Features,
        options: SearchOptions,
        deadline: Deadline,
        *,
        words: bool = True,
    ) -> AsyncGenerator[Word | list[Caption]]:
        """Words as soon as they are certain, then the captions. Raises as `decode` does."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Word | list[Caption] | Exception] = asyncio.Queue()

        def tell(event: Word | list[Caption] | Exception) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(events.put_nowait, event)

        def on_done(found: list[Hypothesis]) -> None:
            tell(to_captions(found, self.vocabulary))

        def on_word(index: int, node: Node) -> None:
            tell(to_word(node, self.vocabulary))

        job = Job(features, options, deadline, on_done, tell, on_word if words else None)
        try:
            self.engine.submit(job)
        except Overloaded:
            self._metrics.shed_one("queue")
            raise
        try:
            while True:
                async with asyncio.timeout(max(0.0, deadline.remaining())):
                    event = await events.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, list):
                    return
        except TimeoutError:
            raise deadline.error() from None
        finally:
            job.cancelled = True


@dataclass(frozen=True, slots=True)
class Languages:
    """All languages that the models folder holds."""

    by_code: Mapping[str, Language]

    @classmethod
    def load(
        cls, manifest: Manifest, settings: DecoderSettings, metrics: DecoderMetrics
    ) -> "Languages":
        return cls(
            {
                code: Language(model, manifest.encoder, settings, metrics)
                for code, model in manifest.decoders.items()
            }
        )

    def __getitem__(self, code: str) -> Language:
        if code not in self.by_code:
            known = sorted(self.by_code)
            raise UnknownLanguage(
                f"`language` must be one of: {', '.join(known)}.", field="language", allowed=known
            )
        return self.by_code[code]

    def start(self) -> None:
        for language in self.by_code.values():
            language.engine.start()

    def stop(self) -> None:
        for language in self.by_code.values():
            language.engine.stop()

    def parts(self) -> dict[str, State]:
        return {
            f"language-{code}": "ok" if language.engine.alive else "down"
            for code, language in self.by_code.items()
        }
