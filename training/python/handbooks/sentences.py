"""Sentences of a passage, cut as knowledge/sentences.ts cuts them for the product's prompts."""

import re
from dataclasses import dataclass

RULE = re.compile(r"[|\-: ]+")
ITEM = re.compile(r"(?:[-*+]|\d+[.)]) +(.*)")
ENDS = re.compile(r"(?<=[.!?]) +(?=[^a-z])")


@dataclass
class Sentence:
    """A sentence, an item of a list or a row of a table, and the words before it that say what it is about."""

    text: str
    about: str = ""


def cells(line: str) -> list[str]:
    """The cells of a table's row.

    >>> cells("| Hotel | 140 euros |")
    ['Hotel', '140 euros']
    """
    return [cell.strip() for cell in line.strip("|").split("|")]


def row_text(row: list[str], header: list[str]) -> str:
    """A row of a table in words.

    >>> row_text(["Riga", "8:00", "-"], ["Name", "Opens", "Closes"])
    'Riga: Opens 8:00'
    """
    first, *rest = row
    if len(rest) < 2:
        return ": ".join(row)
    named = [f"{name} {cell}".strip() for name, cell in zip([*header[1:], *[""] * len(rest)], rest, strict=False) if cell not in ("", "-")]
    return f"{first}: {', '.join(named)}"


def sentences(body: str) -> list[Sentence]:
    """The sentences of a passage's Markdown, without bold marks.

    >>> [s.text for s in sentences("Ask us. We help.\\n- Hotel: **140** euros")]
    ['Ask us.', 'We help.', 'Hotel: 140 euros']
    """
    lines = [line.strip() for line in body.replace("**", "").split("\n")]
    found, lead, header = [], "", []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if not line:
            lead = ""
        elif RULE.fullmatch(line):
            continue
        elif line.startswith("|") and after.startswith("|") and RULE.fullmatch(after):
            header = cells(line)
        elif line.startswith("|"):
            found.append(Sentence(row_text(cells(line), header), " ".join(header)))
        elif item := ITEM.fullmatch(line):
            found.append(Sentence(item[1], lead))
        else:
            lead = line if line.endswith(":") else ""
            found += [Sentence(text) for text in ENDS.split(line)]
    return found
