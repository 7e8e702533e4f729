"""Sections of the model card are replaced, and the sample of captions is the same every time."""

from pathlib import Path

from train.model_card import SAMPLE, replace_section, sample_table

CARD = "# Card\n<!-- scores: by hand -->\nold\n<!-- end of scores -->\nrest\n"


def test_only_the_section_changes() -> None:
    card = replace_section(CARD, "scores", "new")
    assert card == CARD.replace("old", "new")
    assert replace_section(card, "scores", "new") == card


def test_sample_is_drawn_by_a_fixed_seed_and_holds_every_language(tmp_path: Path) -> None:
    captions = tmp_path / "dev.tsv"
    lines = [
        f"{number}.jpg\t{language}\t{beam}\t{language} caption {number} by {beam}\n"
        for number in range(100)
        for language in ("en", "uk")
        for beam in (1, 3)
    ]
    captions.write_text("".join(lines))
    table = sample_table(captions)
    captions.write_text("".join(reversed(lines)))
    assert sample_table(captions) == table
    rows = table.splitlines()
    assert rows[0] == "| dev photo | en | uk |"
    assert len(rows) == SAMPLE + 2
    assert all("by 3" in row and "by 1" not in row for row in rows[2:])
