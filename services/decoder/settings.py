"""Settings of the decoder."""

from pydantic import Field

from services.common.precision import Precision
from services.common.settings import ServiceSettings
from services.decoder.search import LENGTH_PENALTY


class DecoderSettings(ServiceSettings):
    """See each field; the name in the environment is `OKO_` plus the field in capitals."""

    decoder_port: int = Field(8002, ge=1, le=65535, description="Port to listen on.")
    decoder_threads: int = Field(
        1,
        ge=0,
        description="Threads of one model step per language; 0 means one per core. Steps are "
        "small: more than one or two threads rarely help and compete with the encoder.",
    )
    decoder_precision: Precision = Field(
        "auto",
        description="`int8` takes the 8-bit variants of the step graphs, if the models folder has "
        "some whose captions were measured to be as good; `auto` does so where they are there, "
        "since they are faster everywhere.",
    )
    decoder_batch_size: int = Field(
        16,
        ge=1,
        le=256,
        description="Captions decoded together. More of them raise throughput and make each one "
        "slower.",
    )
    decoder_queue_size: int = Field(
        64, ge=1, description="Captions per language that may wait to join; further ones get 503."
    )
    length_penalty: float = Field(
        LENGTH_PENALTY,
        ge=0,
        le=2,
        description="Captions compete by their log-probability divided by length to this power: 0 "
        "favours short captions, 1 compares the mean word, more favours long ones.",
    )
    body_idle_s: float = Field(
        5.0, gt=0, description="Longest pause in a request body, in seconds; then 408."
    )
