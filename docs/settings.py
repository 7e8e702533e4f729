"""`python -m docs.settings`: writes the table of settings in operations.md from the classes."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from services.common.settings import REPOSITORY, ServiceSettings
from services.decoder.settings import DecoderSettings
from services.encoder.settings import EncoderSettings
from services.gateway.settings import GatewaySettings

PAGE = Path(__file__).with_name("operations.md")
BEGIN = "<!-- settings: written by `make docs` -->"
END = "<!-- /settings -->"
SECTIONS: tuple[tuple[str, type[ServiceSettings]], ...] = (
    ("All services", ServiceSettings),
    ("Gateway", GatewaySettings),
    ("Encoder", EncoderSettings),
    ("Decoder", DecoderSettings),
)
SIGNS = ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))


def table() -> str:
    """All settings as Markdown: those of every service first, then each service's own."""
    return "\n\n".join(_section(title, settings) for title, settings in SECTIONS)


def page(text: str) -> str:
    """operations.md with a fresh table between its markers."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _section(title: str, settings: type[ServiceSettings]) -> str:
    common = {} if settings is ServiceSettings else ServiceSettings.model_fields
    rows = [
        _row(name, field) for name, field in settings.model_fields.items() if name not in common
    ]
    return "\n".join(
        [
            f"### {title}",
            "",
            "| setting | default | allowed | what it is |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


def _row(name: str, field: FieldInfo) -> str:
    allowed = ", ".join(_allowed(field))
    description = (field.description or "").replace("|", "\\|")
    return f"| `OKO_{name.upper()}` | {_default(field.default)} | {allowed} | {description} |"


def _default(value: Any) -> str:
    if value is None or value == "" or value == ():
        return "not set"
    if isinstance(value, Path):
        return f"`{value.relative_to(REPOSITORY)}`"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`"


def _allowed(field: FieldInfo) -> Iterator[str]:
    if get_origin(field.annotation) is Literal:
        yield from (f"`{value}`" for value in get_args(field.annotation))
    for rule in field.metadata:
        for kind, attribute, sign in SIGNS:
            if isinstance(rule, kind):
                yield f"{sign} {getattr(rule, attribute)}"


def main() -> None:
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    PAGE.write_text(new, encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {'as it was' if new == old else 'written'}\n")


if __name__ == "__main__":
    main()
