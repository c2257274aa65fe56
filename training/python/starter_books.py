"""Asks a model about a folder of Markdown pages, the right section among others.   Run:  python starter_books.py MODEL BOOK..."""

import argparse
import json
import random
import re
from pathlib import Path

from handbooks import Turn
from handbooks.checking import figures
from handbooks.dialogues import laid_out
from handbooks.sections import Section
from starter_data import encode_dialogue
from starter_eval import replies
from starter_highlights import Highlighter
from tokenizers import Tokenizer

SYSTEM = "You are Hazel, the assistant of Alder & Finch. Answer from the passages. Say so when you don't know."


def sections_of(book: Path) -> dict[str, list[Section]]:
    """The sections of each page: what stands under its second-level headings."""
    found = {}
    for path in sorted(book.glob("*.md")):
        text = path.read_text()
        page = re.match(r"# (.*)", text)[1]
        parts = re.split(r"(?m)^## (.*)\n", text)
        found[path.name] = [Section(page, head, body.strip(), []) for head, body in zip(parts[1::2], parts[2::2], strict=True)]
    return found


def holds(section: Section, row: dict) -> bool:
    """Whether a section can be the one that answers a question: its value or all its items are in it."""
    text = section.body.replace("**", "").lower()
    return all(item.lower() in text for item in row.get("items", [row["answer"]])) or row["answer"] in ("Yes", "No")


def shared_words(row: dict, section: Section) -> int:
    """How many words of the question stand in the section, to guess which of several sections is meant."""
    words = set(re.findall(r"[a-z]{3,}", section.shown().lower()))
    return len(words & set(re.findall(r"[a-z]{3,}", row["question"].lower())))


def cases(book: Path, passages: int = 3):
    """(turn, messages) for each one-turn question of a book: its section among others of the same book."""
    pages, rng, near = sections_of(book), random.Random(1), Highlighter().near
    everything = [s for page in pages.values() for s in page]
    for line in book.with_suffix(".jsonl").read_text().splitlines():
        row = json.loads(line)
        if "turns" in row:
            continue
        gold = max((s for s in pages.get(row["page"], []) if holds(s, row)), key=lambda s: shared_words(row, s), default=None)
        ranked = sorted((s for s in everything if s is not gold), key=lambda s: -shared_words(row, s) - rng.random())
        shown = ([gold] if gold else []) + ranked[: passages - bool(gold)]
        rng.shuffle(shown)
        for number, section in enumerate(shown, 1):
            section.number = number
        user = laid_out(shown, row["question"], near(row["question"], shown, rng))
        turn = Turn(user, "", row["kind"], row["answer"], gold.number if gold else None, row.get("items", []), row["question"])
        yield turn, row, [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def ask_book(model, tokenizer: Tokenizer, book: Path) -> dict:
    """Figures for a book; a value's aliases count as the value."""
    turns, rows, chats = zip(*cases(book))
    prompts = [encode_dialogue(tokenizer, chat)[0] + [1, *tokenizer.encode("assistant\n").ids] for chat in chats]
    said = replies(model, tokenizer, prompts)
    for i, (turn, row) in enumerate(zip(turns, rows, strict=True)):
        for alias in row.get("aliases", []):
            turn.value = alias if alias.lower() in said[i].lower() else turn.value
    return figures(list(turns), said)


def main(argv: list[str] | None = None) -> None:
    import torch
    from transformers import LlamaForCausalLM

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("books", type=Path, nargs="+")
    args = parser.parse_args(argv)
    model = LlamaForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(Path(args.model) / "tokenizer.json"))
    for book in args.books:
        found = ask_book(model, tokenizer, book)
        misses = found.pop("misses")
        print(book, json.dumps(found))
        for miss in misses:
            print("  ", json.dumps(miss))


if __name__ == "__main__":
    main()
