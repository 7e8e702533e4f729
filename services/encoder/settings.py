"""Settings of the encoder."""

from pydantic import Field

from services.common.precision import EncoderPrecision
from services.common.settings import ServiceSettings


class EncoderSettings(ServiceSettings):
    """See each field; the name in the environment is `OKO_` plus the field in capitals."""

    encoder_port: int = Field(8001, ge=1, le=65535, description="Port to listen on.")
    encoder_threads: int = Field(
        0,
        ge=0,
        description="Threads of one model run; 0 means one per core. With several encoders on a "
        "host, share the cores out between them.",
    )
    encoder_precision: EncoderPrecision = Field(
        "auto",
        description="`int8` takes the 8-bit variant of the model, if the models folder has one "
        "whose captions were measured to be as good; `auto` takes it where the processor has VNNI, "
        "which makes it the faster one. `pruned` takes a network of fewer channels in 8 bits, "
        "1.6 times as fast again, whose captions differ: English ones are as good, Ukrainian ones "
        "were 2 % worse on dev photos and 3.5 % on test photos.",
    )
    encoder_batch_size: int = Field(
        4,
        ge=1,
        le=64,
        description="Most photos taken from the queue at once. They are encoded side by side; a "
        "small batch keeps the wait of the last one short.",
    )
    encoder_batch_wait_ms: float = Field(
        0.0,
        ge=0,
        le=100,
        description="How long an idle model waits for more photos. Photos that arrive during a run "
        "are batched anyway, and one alone has all threads: waiting only costs latency.",
    )
    encoder_queue_size: int = Field(
        64, ge=1, description="Photos that may wait for a run; further ones get 503 at once."
    )
    encoder_decode_threads: int = Field(
        2, ge=1, le=32, description="Photos decoded at the same time."
    )
    max_upload_bytes: int = Field(
        20 * 2**20, ge=1024, description="Largest image file, in bytes; larger ones get 413."
    )
    max_pixels: int = Field(
        40_000_000,
        ge=1,
        description="Most pixels of an image (width × height, from the header); more gets 413.",
    )
    max_decode_bytes: int = Field(
        256 * 2**20,
        ge=2**20,
        description="Most memory that one image may take while it is decoded, estimated from its "
        "header; all images being decoded share this budget.",
    )
    upload_idle_s: float = Field(
        5.0, gt=0, description="Longest pause in the upload of a body, in seconds; then 408."
    )
    upload_total_s: float = Field(
        30.0, gt=0, description="Longest upload of a body, in seconds; then 408."
    )
    redis_url: str | None = Field(
        None,
        description="Redis that holds the features of photos already seen, such as "
        "redis://redis:6379/0. Without it every encoder has a cache in its own memory.",
    )
    redis_timeout_ms: float = Field(
        50.0,
        gt=0,
        description="Longest wait for Redis per call; past it the encoder goes on without.",
    )
    cache_ttl_s: int = Field(
        7 * 24 * 3600, ge=1, description="How long Redis keeps the features of a photo."
    )
    cache_bytes: int = Field(
        128 * 2**20,
        ge=0,
        description="Size of the in-memory cache used without Redis (64 KiB a photo).",
    )
