"""Settings that every service has. Each service adds its own in its `settings.py`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]
"""Of an installed package: the folder that it is installed in."""

_INSTALLED = REPOSITORY / "oko" / "models"
MODELS = _INSTALLED if _INSTALLED.is_dir() else REPOSITORY / "models"


class ServiceSettings(BaseSettings):
    """Read from the environment: the field `log_level` is `OKO_LOG_LEVEL`."""

    model_config = SettingsConfigDict(env_prefix="OKO_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="`json`: one object a line for machines; `console`: for people."
    )
    models_dir: Path = Field(MODELS, description="Folder with `manifest.json` and the ONNX models.")
    internal_token: SecretStr | None = Field(
        None,
        description="Shared secret between the gateway and the inner services. When set, the "
        "encoder and the decoder refuse requests without it (health and metrics stay open).",
    )
    deadline_ms: int = Field(
        8_000,
        ge=100,
        le=600_000,
        description="Longest time a request may take once its upload is complete; answers later "
        "than this would be 504. A client can ask for less with `X-Deadline-Ms`.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies, with commas between them, whose "
        "X-Forwarded-For is believed (rate limits, logs). `*` for all of them.",
    )
    header_timeout_s: float = Field(
        10.0,
        gt=0,
        description="A connection that has not sent complete request headers after this long is "
        "closed; so is one that is still sending this long after its request was refused.",
    )
    idle_timeout_s: float = Field(
        75.0,
        gt=0,
        description="A keep-alive connection without a request is closed after this long. Keep it "
        "above the idle time of the proxy in front.",
    )
    max_connections: int = Field(
        2_000, ge=10, description="Open connections; further ones are closed as they come."
    )
    drain_delay_s: float = Field(
        0.0,
        ge=0,
        description="After SIGTERM: how long to go on accepting while readiness already says no, "
        "so that load balancers notice first. 5 suits Kubernetes.",
    )
    drain_timeout_s: float = Field(
        30.0, gt=0, description="After SIGTERM: longest wait for in-flight requests."
    )
    otlp_endpoint: str | None = Field(
        None,
        description="OpenTelemetry collector to send traces to (OTLP over HTTP), such as "
        "http://collector:4318/v1/traces. Without it `traceparent` is still passed on.",
    )
