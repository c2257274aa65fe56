"""Token batches for the starter model, made in background processes while the model trains."""

import multiprocessing
import queue
import random
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from handbooks import Dialogue, Shape, make_dialogue, make_sheet, plain_page
from handbooks.dialogues import Near
from starter_highlights import Highlighter
from starter_pointers import NEXT, Placed, pointers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
BATCH_TOKENS = 3072
ROUND = 16  # batches made at a time, so that a batch holds similar lengths
TRAIN_SEEDS = 1_000_000  # training seeds begin here; evaluation stays below
APART = 1_000_000_000  # how far apart the seeds of several processes begin
HIGHLIGHTED = 0.9  # how many samples have highlights
FORGOTTEN = 0.1  # share of a question's words that its highlights are found without: they are then as often wrong as on unseen wordings
SHEETS = 0.5  # how many of the samples of a whole handbook ask many first questions about what one search found


def train_tokenizer(vocab: int = 2048) -> Tokenizer:
    """Byte-level BPE with digits one by one: the pre-tokenizer that llama.cpp calls "smollm"."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab, special_tokens=[PAD, START, END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(tokenizer_text(), trainer)
    return tokenizer


def tokenizer_text():
    """Text that the vocabulary is learned from."""
    for seed in range(TRAIN_SEEDS, TRAIN_SEEDS + 12_000):
        for message in make_dialogue(seed, Shape()).messages():
            yield message["content"]
        if seed % 3 == 0:
            yield plain_page(random.Random(seed))


def encode_dialogue(tokenizer: Tokenizer, messages: list[dict], opening: str = "") -> tuple[list[int], list[bool]]:
    """Token ids in the chat layout, `opening` before each reply, and which of them count in the loss: the replies with their end mark."""
    ids, counts, _ = place_dialogue(tokenizer, messages, opening)
    return ids, counts


def place_dialogue(tokenizer: Tokenizer, messages: list[dict], opening: str = "") -> tuple[list[int], list[bool], list[Placed]]:
    """The same, and where each message went."""
    ids, counts, placed = [], [], []
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    newline = tokenizer.encode("\n").ids
    for message in messages:
        head = [start, *tokenizer.encode(f"{message['role']}\n{opening if message['role'] == 'assistant' else ''}").ids]
        encoding = tokenizer.encode(message["content"])
        placed.append(Placed(message["content"], len(ids) + len(head), [first for first, _ in encoding.offsets]))
        body = [*encoding.ids, end]
        ids += head + body + newline
        counts += [False] * len(head) + [message["role"] == "assistant"] * len(body) + [False] * len(newline)
    return ids, counts, placed


def shape_at(progress: float, rng: random.Random) -> Shape:
    """The curriculum: one passage first, then more, at last mostly what a search in a whole handbook finds."""
    if progress < 0.3 or rng.random() < 0.75 - progress:
        return Shape(turns=(5, 9), passages=(1, 1), facts=4, filler=1, more=0.1)
    if progress < 0.5:
        return Shape(turns=(4, 8), passages=(1, 3), facts=3, filler=1, more=0.1)
    if rng.random() < 0.7:
        return Shape(turns=(2, 5), library=(6, 34), unknown=0.2, talk=0.06, found=rng.choices((1, 2, 3), (4, 3, 3))[0])
    if rng.random() < 0.5:
        return Shape(turns=(5, 9), passages=(3, 3), facts=rng.choice([3, 4]), filler=rng.choice([0, 1, 2]), more=0.03, near=0.8, unknown=0.24)
    return Shape(turns=(4, 8), passages=(1, 4) if rng.random() < 0.3 else (2, 3), facts=rng.choice([2, 2, 3]), filler=rng.choice([1, 2, 3]), more=0.1)


@dataclass
class Row:
    """Tokens to train on: which of them count in the loss, and who is told to look where (token, head, token looked at).

    `branches` says for each token which of several endings it belongs to, or 0 for what they have in common: an ending sees what is
    common and itself. `positions` are those in a sequence of what is common and that ending alone.
    """

    ids: list[int]
    counts: list[bool]
    links: list[tuple[int, int, int]]
    positions: list[int]
    branches: list[int]

    @classmethod
    def plain(cls, ids: list[int], counts: list[bool], links: list[tuple[int, int, int]], longest: int) -> "Row":
        """One sequence, cut at `longest` tokens."""
        length = min(longest, len(ids))
        return cls(ids[:length], counts[:length], [link for link in links if link[0] < length - 1], [*range(length)], [0] * length)


def branched(rows: list[Row], longest: int) -> Row:
    """Sequences as one, with the tokens that all of them begin with once; those that would make it longer than `longest` are left out.

    >>> branched([Row.plain([5, 6, 7], [False] * 3, [], 9), Row.plain([5, 6, 8], [False] * 3, [], 9)], 9).ids
    [5, 6, 7, 8]
    """
    common = sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, zip(*(row.ids for row in rows))))
    first = rows[0]
    whole = Row(first.ids[:common], first.counts[:common], [], first.positions[:common], [0] * common)
    for branch, row in enumerate(rows, 1):
        moved = len(whole.ids) - common
        if moved + len(row.ids) > longest:
            continue
        whole.ids += row.ids[common:]
        whole.counts += row.counts[common:]
        whole.positions += row.positions[common:]
        whole.branches += [branch] * (len(row.ids) - common)
        whole.links += [(looks + moved, head, at + moved if at >= common else at) for looks, head, at in row.links if looks >= common]
    return whole


def sample(tokenizer: Tokenizer, seed: int, progress: float, longest: int = 1536, opening: str = "", near: Near | None = None) -> Row:
    """One training sample: a dialogue, a sheet of questions, or (one in sixteen) a plain page where every token counts.

    Most have highlights, if `near` finds them.
    """
    rng = random.Random(seed)
    if rng.random() < 0.06:
        ids = tokenizer.encode(plain_page(rng)).ids
        return Row.plain(ids, [True] * len(ids), [], longest)
    shape = shape_at(progress, rng)
    near = near if rng.random() < HIGHLIGHTED else None
    if shape.library and rng.random() < SHEETS:
        return branched([placed_row(tokenizer, dialogue, longest, opening) for dialogue in make_sheet(seed, shape, near=near)], longest)
    return placed_row(tokenizer, make_dialogue(seed, shape, near=near), longest, opening)


def placed_row(tokenizer: Tokenizer, dialogue: Dialogue, longest: int, opening: str) -> Row:
    """A dialogue with its pointers."""
    ids, counts, placed = place_dialogue(tokenizer, dialogue.messages(), opening)
    told = placed[len(placed) % 2 :]  # without the system message
    links = [link for link in pointers(dialogue.turns, told[::2], told[1::2]) if link[0] < len(ids) - 1 and fits(link, ids)]
    return Row.plain(ids, counts, links, longest)


def fits(link: tuple[int, int, int], ids: list[int]) -> bool:
    """Whether a pointer can be right: what is copied must be the same token there."""
    looks, head, at = link
    return head != NEXT or ids[looks + 1] == ids[at]


@dataclass
class Batch:
    """Rows padded at the end, as arrays of (rows, length); `links` are (row, token that looks, head, token looked at)."""

    ids: np.ndarray
    counts: np.ndarray
    positions: np.ndarray
    branches: np.ndarray
    links: np.ndarray

    @classmethod
    def of(cls, rows: list[Row]) -> "Batch":
        """Rows as one batch."""
        longest = max(len(row.ids) for row in rows)
        fill = lambda name, kind: np.array([getattr(row, name) + [0] * (longest - len(row.ids)) for row in rows], kind)
        links = np.array([(i, *link) for i, row in enumerate(rows) for link in row.links], np.int64).reshape(-1, 4)
        return cls(fill("ids", np.int64), fill("counts", np.bool_), fill("positions", np.int64), fill("branches", np.uint8), links)


def batches(tokenizer: Tokenizer, seeds, progress, opening: str = "", tokens: int = BATCH_TOKENS, shuffle: int = 0, near: Near | None = None):
    """Yields batches of rows of similar lengths, about `tokens` tokens each.

    Rows are sorted by length a round at a time and dealt into ROUND batches in the order of `shuffle`. Where it is the same in
    two processes that wait for each other after each batch, they have about the same length to do.
    """
    rng = random.Random(shuffle)
    while True:
        rows, total = [], 0
        while total < ROUND * tokens:
            rows.append(sample(tokenizer, next(seeds), progress(), opening=opening, near=near))
            total += len(rows[-1].ids)
        ready, done = [[] for _ in range(ROUND)], 0
        for row in sorted(rows, key=lambda row: len(row.ids)):
            ready[ROUND * done // total].append(row)
            done += len(row.ids)
        rng.shuffle(ready)
        yield from map(Batch.of, filter(None, ready))


def _work(tokenizer_json: str, worker: int, first_seed: int, progress, opening: str, tokens: int, out) -> None:
    tokenizer, seeds = Tokenizer.from_str(tokenizer_json), iter(range(first_seed + worker * APART, 1 << 60))
    for batch in batches(tokenizer, seeds, lambda: progress.value, opening, tokens, worker, Highlighter(forget=FORGOTTEN).near):
        out.put(batch)


class Feed:
    """Batches from background processes. Set `progress.value` (0 to 1) to move the curriculum on."""

    def __init__(self, tokenizer_path: Path, first_seed: int, opening: str = "", tokens: int = BATCH_TOKENS, workers: int = 1):
        context = multiprocessing.get_context("spawn")
        self.progress = context.Value("d", 0.0)
        self.queue = context.Queue(maxsize=6 * workers)
        text, shared = tokenizer_path.read_text(), (first_seed, self.progress, opening, tokens, self.queue)
        self.processes = [context.Process(target=_work, args=(text, worker, *shared), daemon=True) for worker in range(workers)]
        for process in self.processes:
            process.start()

    def next(self) -> Batch:
        """The next batch. Raises RuntimeError when a process that makes them is gone, instead of waiting for ever."""
        while all(process.exitcode is None for process in self.processes):
            try:
                return self.queue.get(timeout=30)
            except queue.Empty:
                continue
        raise RuntimeError("a process that makes the text has ended; its error is above")
