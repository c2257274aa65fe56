"""Whole invented handbooks with questions about them: folders of Markdown pages that a bench can index and ask about."""

import json
import random
from pathlib import Path

from . import questions
from .pages import markdown
from .sections import Claim, Section, build, fillers
from .topics import load
from .world import World

PAGES = (10, 12)
ASKED = {"known": 45, "follow": 9, "unknown": 18}


def make_book(seed: int) -> tuple[dict[str, str], list[dict]]:
    """(page file → Markdown, questions) of a firm with reserved names. The same seed makes the same book."""
    world = World(random.Random(seed), held_out=True)
    pages = plan(world)
    files = {}
    for page, sections in pages.items():
        name = page.lower().replace(" ", "-") + ".md"
        intro = " ".join([f"This page is for everyone at {world.company}."] + fillers(world, page, world.rng.randint(0, 2)))
        files[name] = markdown(page, sections, intro)
        for section in sections:
            section.file = name
    return files, list(ask_all(world, [s for sections in pages.values() for s in sections]))


def plan(world: World) -> dict[str, list[Section]]:
    """Sections by page. A topic is used once, and no page or heading twice, so that every question has one answer."""
    rng, topics = world.rng, load()[:]
    rng.shuffle(topics)
    target, pages, heads = rng.randint(*PAGES), {}, set()
    for topic in topics:
        page = next((p for p in topic.pages if p in pages and len(pages[p]) < 4), None) or rng.choice(topic.pages)
        if page not in pages and len(pages) >= target:
            continue
        section = build(world, topic, rng.randint(2, 4), rng.randint(1, 4), page)
        section.head = section.head or next((h for h in topic.heads if h not in heads), topic.heads[0])
        if section.head in heads:
            section.head = next((h for h in topic.heads if h not in heads), section.head)
        heads.add(section.head)
        pages.setdefault(page, []).append(section)
    return pages


def ask_all(world: World, sections: list[Section]):
    """Questions with one answer in the book, follow-ups as two turns, and questions without an answer."""
    rng = world.rng
    claims = [c for s in sections for c in s.claims if c.fact.id != "section-contact" and unique(c, sections)]
    rng.shuffle(claims)
    for claim in claims[: ASKED["known"]]:
        yield entry(questions.ask(world, claim), claim, claim.fact.id)
    yield from (row for row, _ in zip(follow_ups(world, sections), range(ASKED["follow"])))
    asked = set()
    while len(asked) < ASKED["unknown"]:
        question = questions.off_topic(rng) if rng.random() < 0.15 else questions.ask_unknown(world, sections, [], lambda slot, fact: stranger(world, sections, slot, fact))
        if question not in asked:
            asked.add(question)
            yield {"question": question, "answer": None, "page": None, "kind": "unknown"}


def unique(claim: Claim, sections: list[Section]) -> bool:
    """Whether no other claim of the book answers the same question."""
    key = (claim.fact.id, claim.entity, claim.qualifier)
    return sum((c.fact.id, c.entity, c.qualifier) == key for s in sections for c in s.claims) == 1


def follow_ups(world: World, sections: list[Section]):
    """Entries whose question needs the turn before it."""
    for section in sections:
        for first, second in zip(section.claims, section.claims[1:]):
            if first.fact.id == second.fact.id and (second.entity or second.qualifier) and unique(first, sections) and unique(second, sections):
                row = entry(questions.follow_up(world, second, second.entity), second, f"follow:{second.fact.id}")
                yield {**row, "turns": [entry(questions.ask(world, first), first, first.fact.id)]}
                break


def entry(question: str, claim: Claim, kind: str) -> dict:
    """One line of the questions. A list's items come as `items`: a right answer has them all, in any order."""
    row = {"question": question, "answer": claim.value, "page": claim.section.file, "kind": kind}
    return {**row, "items": claim.items} if claim.items else row


def stranger(world: World, sections: list[Section], slot: str, fact_id: str) -> str:
    """An entity of whom the book doesn't state this fact."""
    known = {c.entity for s in sections for c in s.claims if c.fact.id == fact_id}
    return next((e for e in world.entities(slot, 20) if e not in known), "Xanadu")


def write_book(seed: int, folder: Path) -> None:
    """Writes pages into a folder, and their questions beside it: whoever ingests the folder must not read the answers."""
    files, rows = make_book(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    folder.with_suffix(".jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
