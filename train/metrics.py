"""Scores of captions against references: the metrics of the COCO caption task, and plain counts."""

from __future__ import annotations

import contextlib
import io
import shutil

import sacrebleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from train.text import load_language, repeats_bigram, tokenize

Captions = dict[int, list[str]]


def _tokenized(captions: Captions, language: str) -> Captions:
    """As the COCO task does it (Penn Treebank, needs Java) for English; our own words otherwise."""
    if language == "en" and shutil.which("java"):
        return PTBTokenizer().tokenize(
            {key: [{"caption": text} for text in texts] for key, texts in captions.items()}
        )
    return {key: [" ".join(tokenize(t)) for t in texts] for key, texts in captions.items()}


def cider(captions: list[str], references: list[tuple[str, ...]]) -> float:
    """CIDEr × 100 (Vedantam et al. 2015) on our own words: quick, to choose checkpoints by."""
    ours = {i: [" ".join(tokenize(caption))] for i, caption in enumerate(captions)}
    theirs = {i: [" ".join(tokenize(t)) for t in texts] for i, texts in enumerate(references)}
    return 100 * Cider().compute_score(theirs, ours)[0]


def scores(
    captions: list[str], references: list[tuple[str, ...]], language: str
) -> dict[str, float]:
    """BLEU-1..4, METEOR (English only), ROUGE-L, CIDEr and chrF (Ukrainian and others), × 100."""
    ours = _tokenized({i: [caption] for i, caption in enumerate(captions)}, language)
    theirs = _tokenized({i: list(texts) for i, texts in enumerate(references)}, language)
    with contextlib.redirect_stdout(io.StringIO()):  # the scorers print as they go
        bleu, _ = Bleu(4).compute_score(theirs, ours, verbose=0)
        result = {f"BLEU-{n}": value for n, value in enumerate(bleu, start=1)}
        if language == "en" and shutil.which("java"):
            result["METEOR"], _ = Meteor().compute_score(theirs, ours)
        result["ROUGE-L"], _ = Rouge().compute_score(theirs, ours)
        result["CIDEr"], _ = Cider().compute_score(theirs, ours)
    result = {name: round(100 * float(value), 2) for name, value in result.items()}
    if language != "en":
        longest = max(map(len, references))
        columns = [[r[i] if i < len(r) else None for r in references] for i in range(longest)]
        result["chrF"] = round(sacrebleu.corpus_chrf(captions, columns).score, 2)
    return result


def habits(
    captions: list[str], references: list[tuple[str, ...]], language: str
) -> dict[str, float]:
    """Share of distinct captions, of repeated bigrams, of cut ends; length against references."""
    words = [caption.split() for caption in captions]
    no_end = load_language(language).no_end
    expected = [len(tokenize(text)) for texts in references for text in texts]
    length = sum(map(len, words)) / len(words)
    return {
        "distinct": len(set(captions)) / len(captions),
        "repeats a bigram": sum(map(repeats_bigram, words)) / len(words),
        "cut end": sum(w[-1] in no_end for w in words) / len(words),
        "words": length,
        "length ratio": length / (sum(expected) / len(expected)),
    }
