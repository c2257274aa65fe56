"""Whole pages: plain text for language modelling, and complete handbooks for the bench."""

import random

from .filler import STORY
from .sections import Section, build, fillers
from .topics import load
from .wording import capital, expand
from .world import World


def plain_page(rng: random.Random, held_out: bool = False) -> str:
    """A page of prose: mostly handbook sections under headings, now and then a little story."""
    world = World(rng, held_out)
    if rng.random() < 0.2:
        return story(world)
    topic = rng.choice(load())
    page = rng.choice(topic.pages)
    fitting = [t for t in load() if page in t.pages]
    sections = [build(world, t, rng.randint(1, 3), rng.randint(1, 4), page) for t in rng.sample(fitting, min(len(fitting), rng.randint(1, 3)))]
    return markdown(page, sections, " ".join(fillers(world, page, rng.randint(0, 3))))


def story(world: World) -> str:
    """Some sentences about two people."""
    rng = world.rng
    people = [rng.choice([world.names.invented(2, 2), world.names.person().split()[0]]) for _ in range(2)]
    lines = [capital(expand(rng.choice(STORY), rng).replace("{a}", people[0]).replace("{b}", people[1])) for _ in range(rng.randint(4, 14))]
    return " ".join(lines)


def markdown(page: str, sections: list[Section], intro: str = "") -> str:
    """A page as a Markdown file."""
    parts = [f"# {page}"] + ([intro] if intro else [])
    for section in sections:
        parts += [f"## {section.head}", section.body] if section.head else [section.body]
    return "\n\n".join(parts) + "\n"
