"""Each stage of a caption alone, in this process, with the services' own code."""

import io

import numpy as np
from PIL import Image

from bench import photos
from bench.figures import Figures
from bench.times import repeated
from services.common.accepted_images import ImageLimits
from services.common.features import Features, pack_features, unpack_features
from services.common.images import decode_square
from services.common.manifest import read_manifest
from services.common.settings import REPOSITORY
from services.decoder.captions import to_captions
from services.decoder.schemas import captions_answer
from services.decoder.search import BeamSearch, SearchOptions
from services.decoder.session import DecoderSession, Step
from services.decoder.settings import DecoderSettings
from services.decoder.vocabulary import Vocabulary
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings

LIMITS = ImageLimits(40_000_000, 2**28)


def measure() -> Figures:
    manifest = read_manifest(REPOSITORY / "models")
    encoder = EncoderSession(manifest.encoder, 0, EncoderSettings().encoder_precision)
    small, large = photos.ordinary(), photos.twelve_megapixels()
    pixels = decode_square(small, encoder.side, LIMITS)
    (features,) = encoder.run([pixels])
    packed = pack_features(features)
    cells, dimensions = features.shape
    return {
        "jpeg_decode_ms": repeated(lambda: decoded(small)).p50,
        "jpeg_decode_and_resize_ms": repeated(lambda: decode_square(small, 299, LIMITS)).p50,
        "jpeg_12_megapixels_mb": len(large) / 1e6,
        "jpeg_12_megapixels_decode_and_resize_ms": repeated(
            lambda: decode_square(large, 299, LIMITS)
        ).p50,
        "encoder_run_ms": repeated(lambda: encoder.run([pixels]), 3.0).p50,
        "features_pack_and_unpack_ms": repeated(
            lambda: unpack_features(pack_features(features), cells, dimensions)
        ).p50,
        "features_kb": len(packed) / 1000,
        **decoder(features),
    }


def decoded(photo: bytes) -> None:
    with Image.open(io.BytesIO(photo)) as image:
        image.load()


def decoder(features: Features) -> Figures:
    """Init, step, search and JSON of one English caption, beam of three."""
    model = read_manifest(REPOSITORY / "models").decoders["en"]
    settings = DecoderSettings()
    session = DecoderSession(
        model, *features.shape, settings.decoder_threads, settings.decoder_precision
    )
    vocabulary = Vocabulary.read(model.vocabulary.path)
    batch = features[None].astype(np.float32)  # [1, 64, D]
    keys, first = session.init(batch)

    steps: list[Step] = []
    state, rows, search = first, [0], BeamSearch(vocabulary, SearchOptions())
    while not search.done:
        step = session.step(np.array([search.tokens()]), np.array([rows]), state, batch, keys)
        steps.append(step)
        state = step.state
        rows = search.advance(step.log_probability[0], step.word[0], step.attention[0])

    def searched() -> BeamSearch:
        again = BeamSearch(vocabulary, SearchOptions())
        for step in steps:
            again.advance(step.log_probability[0], step.word[0], step.attention[0])
        return again

    captions = to_captions(search.best(), vocabulary)
    token, parent = np.array([[5, 6, 7]]), np.array([[0, 1, 2]])
    return {
        "decoder_init_ms": repeated(lambda: session.init(batch)).p50,
        "decoder_step_ms": repeated(
            lambda: session.step(token, parent, steps[1].state, batch, keys)
        ).p50,
        "decoder_steps": len(steps),
        "beam_search_ms": repeated(searched).p50,
        "caption_json_ms": repeated(
            lambda: captions_answer(model, captions).model_dump_json(exclude_none=True)
        ).p50,
        "caption_json_kb": len(captions_answer(model, captions).model_dump_json()) / 1000,
    }
