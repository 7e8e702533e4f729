"""docs/operations.md and the files that a deployment is made of name settings that exist."""

import re

import pytest

from docs import settings
from tests.processes import REPOSITORY

NAME = re.compile(r"\bOKO_[A-Z0-9_]+\b")
FILES = ("docker-compose.yml", ".env.example", "docs/operations.md")


def known() -> set[str]:
    return {
        f"OKO_{field.upper()}" for _, model in settings.SECTIONS for field in model.model_fields
    }


def test_the_table_is_up_to_date() -> None:
    text = settings.PAGE.read_text(encoding="utf-8")
    assert text == settings.page(text), "run `make docs`"


def test_every_setting_is_described() -> None:
    for _, model in settings.SECTIONS:
        for name, field in model.model_fields.items():
            assert field.description, name


@pytest.mark.parametrize("file", FILES)
def test_files_name_settings_that_exist(file: str) -> None:
    named = set(NAME.findall((REPOSITORY / file).read_text(encoding="utf-8")))
    assert named
    assert named <= known()


def test_images_set_settings_that_exist() -> None:
    for path in (REPOSITORY / "Dockerfile", *REPOSITORY.glob("services/*/Dockerfile")):
        assert set(NAME.findall(path.read_text(encoding="utf-8"))) <= known()
