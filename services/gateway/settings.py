"""Settings of the gateway."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.common.settings import ServiceSettings
from services.gateway.keys import ApiKeys
from services.gateway.rate_limit import RateLimitPolicy


class GatewaySettings(ServiceSettings):
    """See each field; the name in the environment is `OKO_` plus the field in capitals."""

    gateway_port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    encoder_url: Annotated[tuple[str, ...], NoDecode] = Field(
        ("http://127.0.0.1:8001",),
        description="Where the encoders are: http:// addresses with commas between them. A name "
        "that resolves to several addresses is spread over all of them.",
    )
    decoder_url: Annotated[tuple[str, ...], NoDecode] = Field(
        ("http://127.0.0.1:8002",),
        description="Where the decoders are, written as the encoders are.",
    )
    resolve_interval_s: float = Field(
        5.0, gt=0, description="How often the upstream names are looked up again."
    )
    probe_interval_s: float = Field(
        1.0, gt=0, description="How often every upstream address is asked for its readiness."
    )
    probe_timeout_s: float = Field(
        2.0, gt=0, description="An upstream that takes longer to say that it is ready is not."
    )
    breaker_failures: int = Field(
        5, ge=1, description="Failures in a row after which an upstream address is left alone."
    )
    breaker_cool_down_s: float = Field(
        1.0, gt=0, description="How long it is left alone before one request tries it again."
    )
    max_in_flight: int = Field(
        64,
        ge=1,
        description="Images being captioned at the same time; further ones get 503 at once.",
    )
    max_images: int = Field(16, ge=1, le=64, description="Most images in one request.")
    max_upload_bytes: int = Field(
        20 * 2**20, ge=1024, description="Largest image file, in bytes; larger ones get 413."
    )
    max_body_bytes: int = Field(
        64 * 2**20, ge=1024, description="Largest request with all its images, in bytes."
    )
    upload_memory_bytes: int = Field(
        512 * 2**20,
        ge=2**20,
        description="Memory for uploads that are under way or being captioned, all together; "
        "past it new ones get 503.",
    )
    upload_idle_s: float = Field(
        5.0, gt=0, description="Longest pause in an upload, in seconds; then 408."
    )
    upload_total_s: float = Field(60.0, gt=0, description="Longest upload, in seconds; then 408.")
    max_pixels: int = Field(
        40_000_000, ge=1, description="Most pixels of an image; must match the encoder's."
    )
    max_decode_bytes: int = Field(
        256 * 2**20,
        ge=2**20,
        description="Most memory for decoding images for heatmaps, all requests together.",
    )
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Who may send images: NAME:SHA256 entries with commas between them, made by "
        "`python -m services.gateway.keys NAME`. Without any, everyone may.",
    )
    rate_limit: str | None = Field(
        None,
        description="Images per caller (API key, or address without keys), such as `60/minute` "
        "or `1000/hour`. Without it there is no limit.",
    )
    redis_url: str | None = Field(
        None,
        description="Redis that counts for the rate limit and holds finished captions, so that "
        "several gateways agree. Without it every gateway counts and remembers for itself.",
    )
    redis_timeout_ms: float = Field(
        50.0,
        gt=0,
        description="Longest wait for Redis per call; past it the gateway goes on without.",
    )
    caption_cache_bytes: int = Field(
        16 * 2**20,
        ge=0,
        description="Memory for finished captions (about 8 KiB each): the same photo asked the "
        "same way again costs neither encoder nor decoder. 0: none are kept, in Redis neither.",
    )
    caption_cache_ttl_s: int = Field(
        24 * 3600,
        ge=1,
        description="How long Redis keeps a finished caption. They are kept by the models' "
        "digests: new models are never answered by old captions, another "
        "`OKO_LENGTH_PENALTY` is.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Web sites whose pages may call the API, with commas between them, such as "
        "https://example.org; `*` for every one.",
    )
    web_dir: Path = Field(
        Path(__file__).resolve().parent / "static",
        description="Folder with the built web page; served at / when it is there.",
    )

    @field_validator("encoder_url", "decoder_url", "api_keys", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(entry.strip() for entry in value.split(",") if entry.strip())

    @field_validator("encoder_url", "decoder_url")
    @classmethod
    def _urls_are_valid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parsed = [urlsplit(url) for url in value]
        if not parsed or any(url.scheme != "http" or not url.hostname for url in parsed):
            raise ValueError("give one or more http:// addresses with commas between them")
        return value

    @field_validator("api_keys")
    @classmethod
    def _keys_are_valid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        ApiKeys.read(value)
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate_is_valid(cls, value: str | None) -> str | None:
        if value is not None:
            RateLimitPolicy(value, None, 0.0).parsed()
        return value

    def rate_limit_policy(self) -> RateLimitPolicy | None:
        if self.rate_limit is None:
            return None
        return RateLimitPolicy(self.rate_limit, self.redis_url, self.redis_timeout_ms / 1000)
