"""Highlights: the sentences of the passages that are nearest to a question, as the product puts them before it.

The table that finds passages also knows which of their sentences a question means; a small model reads better when it is
told. What the model is told in training must be as often wrong as it will be later, on words that the table wasn't trained on;
so some of a training question's words are left out before its sentences are looked up.
"""

import random
from pathlib import Path

import gguf
import numpy as np
from handbooks.library import terms
from handbooks.sections import Section
from handbooks.sentences import Sentence, sentences
from starter_words import cutter

EMBEDDER = Path(__file__).parent.parent / "starter" / "embedder.gguf"
MOST = 3  # highlights a question
NEAR = 0.4  # cosine below which a sentence is not near, as in knowledge/word-embedder.ts
CLOSE = 0.8  # how near another sentence must be to be shown beside the nearest, as a share, as in knowledge/highlight.ts


class Highlighter:
    """Finds highlights with a table of words; leaves out a share of each question's words."""

    def __init__(self, path: Path = EMBEDDER, forget: float = 0.0):
        reader = gguf.GGUFReader(path)
        names = reader.fields["tokenizer.ggml.tokens"]
        self.cut = cutter([bytes(names.parts[i]).decode() for i in names.data])
        self.rows = gguf.quants.dequantize(reader.tensors[0].data, reader.tensors[0].tensor_type)
        self.forget = forget

    def vectors(self, texts: list[str], forget: float = 0.0, rng: random.Random | None = None) -> np.ndarray:
        """Unit vectors (texts, width); zeros for a text without any known word."""
        sums = np.zeros((len(texts), self.rows.shape[1]), np.float32)
        for at, words in enumerate(self.cut(texts)):
            kept = [n for n in words if rng.random() >= forget] if rng and forget else words
            sums[at] = self.rows[kept or words].sum(0)
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)

    def near(self, question: str, passages: list[Section], rng: random.Random) -> list[str]:
        """The nearest sentences with the numbers of their passages, the nearest first: `You get 25 days. [1]`"""
        found = [(section, sentence) for section in passages for sentence in sentences(section.body)]
        if not found or not terms(question):
            return []
        (asked,) = self.vectors([question], self.forget, rng)
        likeness = self.vectors([text_of(*one) for one in found]) @ asked
        order = np.argsort(-likeness, kind="stable")[:MOST]
        least = max(NEAR, CLOSE * likeness[order[0]])
        return [f"{found[at][1].text} [{found[at][0].number}]" for at in order if likeness[at] >= least]


def text_of(section: Section, sentence: Sentence) -> str:
    """What of a sentence is embedded: what it stands under, and itself."""
    return f"{section.title}\n{sentence.about} {sentence.text}"
