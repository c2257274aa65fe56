"""Sentences of a passage, cut as knowledge/sentences.ts cuts them for the product's prompts."""

import re
from dataclasses import dataclass

FENCE = re.compile(r"```|~~~")
RULE = re.compile(r"[|\-: \t]+")
ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+(\S.*)")
ENDS = re.compile(r"(?<=[.!?]) +(?=[^a-z])")
BOLD = re.compile(r"(?<![\w/*])\*\*(?=\S)([^*]+?)(?<=\S)\*\*(?![\w/*])")
WIDTH = 60  # a line this long was broken for its width, so the next one goes on with it


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
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


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


def goes_on(line: str, last: str) -> bool:
    """Whether a line only goes on with the last one: that one was broken for its width, or this one is indented below an item."""
    text, before = line.strip(), last.strip()
    if not text or not before or text.startswith("|") or before.startswith("|") or ITEM.fullmatch(text) or RULE.fullmatch(text):
        return False
    if ITEM.fullmatch(before) and not line.startswith((" ", "\t")):
        return False
    return before[-1] not in ".!?:;" and (len(last) >= WIDTH or text[0].islower())


def unbroken(lines: list[str]) -> list[str]:
    """Lines without code blocks, each with those that only go on with it."""
    found, code, last = [], False, ""
    for line in lines:
        fence = FENCE.match(line.strip())
        if fence:
            code = not code
        elif not code and goes_on(line, last):
            found[-1] += f" {line.strip()}"
        elif not code:
            found.append(line.strip())
        last = "" if code or fence else line
    return found


def sentences(body: str) -> list[Sentence]:
    """The sentences of a passage's Markdown, without bold marks and code blocks.

    >>> [s.text for s in sentences("Ask us. We help.\\n- Hotel: **140** euros")]
    ['Ask us.', 'We help.', 'Hotel: 140 euros']
    """
    lines = unbroken(BOLD.sub(r"\1", body).split("\n"))
    found, lead, header = [], "", []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if not line or RULE.fullmatch(line):
            continue
        if line.startswith("|") and after.startswith("|") and RULE.fullmatch(after):
            header = cells(line)
        elif line.startswith("|"):
            found.append(Sentence(row_text(cells(line), header), " ".join(header)))
        elif item := ITEM.fullmatch(line):
            found.append(Sentence(item[1], lead))
        else:
            lead = line if line.endswith(":") else ""
            found += [Sentence(text) for text in ENDS.split(line)]
    return [one for one in found if any(c.isalnum() for c in one.text)]
