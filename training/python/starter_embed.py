"""Makes the starter's embedder, a table of word vectors.   Run:  python starter_embed.py --teacher DIR --out embedder.gguf

A text's vector is the sum of its words' vectors. The table begins with what the teacher (a BERT sentence embedding model in
a Hugging Face folder) says of each word alone, in fewer dimensions and with frequent words made short, as Model2Vec does.
Then questions about invented handbooks must find their section among those of the same firm and of other firms, and in it the
sentence that answers (InfoNCE), while the words must stay as like one another as the teacher finds them. Reserved wordings and names are never trained on.
"""

import argparse
import random
import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import gguf
import numpy as np
import torch
import torch.nn.functional as F
from handbooks.books import plan
from handbooks.questions import ask
from handbooks.sections import Claim
from handbooks.sentences import Sentence, sentences
from handbooks.topics import load
from handbooks.world import World
from starter_highlights import text_of
from starter_words import cutter
from transformers import AutoModel, AutoTokenizer

TRAIN_SEEDS = 3_000_000  # training books begin here
EVAL_SEEDS = range(81_000, 81_012)  # other books than the bench's
DIM, WORDS = 192, 16_000
SMOOTHING = 1e-3  # a of a / (a + p(word))
SHARPNESS = 0.05  # similarities are divided by it
BATCH_BOOKS, BATCH_QUESTIONS, BATCH_WORDS = 6, 30, 512
FORGOTTEN = 0.3  # share of a question's words that are left out, so that each word has to help


@dataclass
class Asked:
    """A question, the place of its section in the book, and the places of the sentences that answer it in the section."""

    question: str
    section: int
    sentences: list[int]
    contact: bool  # asks whom to ask: every section may answer that


@dataclass
class Book:
    """A firm's sections, each with its topic and its sentences, and questions about them."""

    sections: list[str]
    topics: list[str]
    sentences: list[list[str]]
    asked: list[Asked]


def make_book(seed: int, held_out: bool = False) -> Book:
    """The book of an invented firm."""
    world = World(random.Random(seed), held_out)
    sections = [s for page in plan(world).values() for s in page]
    topics = {fact.id: topic.heads[0] for topic in load() for fact in topic.facts}
    cut = [sentences(s.body) for s in sections]
    asked = [Asked(ask(world, c), n, stating(c, cut[n]), c.fact.id == "section-contact") for n, s in enumerate(sections) for c in s.claims]
    texts = [f"{s.title}\n{s.body}" for s in sections]
    return Book(texts, [topics[s.claims[0].fact.id] for s in sections], [[text_of(s, one) for one in own] for s, own in zip(sections, cut, strict=True)], asked)


def stating(claim: Claim, found: list[Sentence]) -> list[int]:
    """Which sentences of its section state a claim: its own words, else its value beside its entity, else its value."""
    words, value, entity = claim.evidence.rstrip(".").lower(), claim.value.lower(), claim.entity.lower()
    texts = [one.text.rstrip(".").lower() for one in found]
    own = [n for n, text in enumerate(texts) if words in text or (text in words and (value in text or text.endswith(":")))]
    held = [n for n, text in enumerate(texts) if value in text] if not claim.fact.yes_no else []
    return own or [n for n in held if entity in texts[n]] or held


def make_books(seeds, held_out: bool = False, without: int = 0, log=print) -> list:
    """Books of these seeds. `without` n: one topic in n never occurs, to see how it is found by words learnt elsewhere."""
    topics = load()
    kept = topics[:]
    topics[:] = [t for n, t in enumerate(kept) if not without or n % without]
    made = [make_book(seed, held_out) for seed in seeds]
    topics[:] = kept
    log(f"{len(made)} books, {sum(len(book.asked) for book in made)} questions")
    return made


def vocabulary(teacher_tokens: dict[str, int], books: list) -> list[str]:
    """The books' own words, then the teacher's most frequent words and pieces (its vocabulary is ordered by frequency)."""
    known = [t for t in sorted(teacher_tokens, key=teacher_tokens.get) if re.fullmatch(r"(##)?([a-z]+|[0-9]{1,2})", t)][:WORDS]
    seen = Counter(w for book in books for w in set(re.findall(r"[a-z]{3,}", " ".join(book.sections + [a.question for a in book.asked]).lower())))
    return sorted(w for w, books in seen.items() if books >= 4 and w not in set(known)) + known


@torch.inference_mode()
def teach(folder: Path, words: list[str]) -> torch.Tensor:
    """The teacher's unit vector of each word or piece alone: the mean over its tokens, as this teacher pools."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vocab = tokenizer.get_vocab()
    ids = [[vocab[w]] if w in vocab else tokenizer.encode(w, add_special_tokens=False) for w in words]
    out = torch.zeros(len(words), model.config.hidden_size)
    order = sorted(range(len(words)), key=lambda n: len(ids[n]))
    for at in range(0, len(order), 512):
        part = order[at : at + 512]
        rows = [torch.tensor([tokenizer.cls_token_id, *ids[n], tokenizer.sep_token_id]) for n in part]
        inputs = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(r)) for r in rows], batch_first=True)
        hidden = model(input_ids=inputs, attention_mask=mask).last_hidden_state * mask[..., None]
        out[part] = F.normalize(hidden.sum(1), dim=1)
    return out


def first_table(taught: torch.Tensor, own: int) -> torch.Tensor:
    """The teacher's vectors in DIM dimensions, frequent words short. The first `own` words come from the books."""
    centred = taught - taught.mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:DIM]
    rank = torch.cat([torch.full((own,), 2000.0), torch.arange(1, len(taught) - own + 1)])
    share = 1 / (rank + 10)
    return centred @ axes.T * (SMOOTHING / (SMOOTHING + share / share.sum()))[:, None]


def pool(table: torch.Tensor, lists: list[list[int]]) -> torch.Tensor:
    """Texts' unit vectors."""
    offsets = torch.tensor(list(accumulate(map(len, lists[:-1]), initial=0)))
    return F.normalize(F.embedding_bag(torch.tensor([n for one in lists for n in one]), table, offsets, mode="sum"), dim=1)


@dataclass
class Rows:
    """A book as rows of the table."""

    sections: list[list[int]]
    topics: list[str]
    sentences: list[list[int]]
    begins: list[int]  # where each section's sentences begin, and the end
    questions: list[list[int]]
    asked: list[Asked]


def encode(cut, books: list[Book]) -> list[Rows]:
    """Books as rows of the table, without questions and sentences of which it knows no word."""
    found = []
    for book in books:
        flat = [text for own in book.sentences for text in own]
        begins = list(accumulate(map(len, book.sentences), initial=0))
        questions = cut([a.question for a in book.asked])
        known = [n for n, words in enumerate(questions) if words]
        found.append(Rows(cut(book.sections), book.topics, [words or [0] for words in cut(flat)], begins, [questions[n] for n in known], [book.asked[n] for n in known]))
    return [rows for rows in found if rows.questions]


def chosen(book: Rows, rng: random.Random, fits) -> tuple[list[list[int]], list[Asked]]:
    """Some of a book's questions, with words left out."""
    some = [n for n in range(len(book.asked)) if fits(book.asked[n])]
    some = rng.sample(some, min(BATCH_QUESTIONS, len(some)))
    return [[w for w in book.questions[n] if rng.random() > FORGOTTEN] or book.questions[n] for n in some], [book.asked[n] for n in some]


def search_loss(table: torch.Tensor, books: list[Rows], rng: random.Random) -> torch.Tensor:
    """Each question must find its section among all of several books, but for other firms' sections of the same topic."""
    sections, topics, questions, right = [], [], [], []
    for book in books:
        words, asked = chosen(book, rng, lambda a: not a.contact)
        right += [len(sections) + a.section for a in asked]
        questions, sections, topics = questions + words, sections + book.sections, topics + book.topics
    scores = pool(table, questions) @ pool(table, sections).T / SHARPNESS
    alike = torch.tensor([[topics[r] == t and r != n for n, t in enumerate(topics)] for r in right])
    return F.cross_entropy(scores.masked_fill(alike, -1e9), torch.tensor(right))


def reading_loss(table: torch.Tensor, books: list[Rows], rng: random.Random) -> torch.Tensor:
    """Each question must find a sentence that answers it among those of its section and of two others of the book."""
    losses = []
    for book in books:
        words, asked = chosen(book, rng, lambda a: bool(a.sentences))
        if not asked:
            continue
        shown, right = torch.zeros(2, len(asked), len(book.sentences), dtype=torch.bool)
        for row, a in enumerate(asked):
            for section in {a.section, *rng.sample(range(len(book.sections)), min(2, len(book.sections)))}:
                shown[row, book.begins[section] : book.begins[section + 1]] = True
            right[row, [book.begins[a.section] + n for n in a.sentences]] = True
        scores = (pool(table, words) @ pool(table, book.sentences).T / SHARPNESS).masked_fill(~shown, -1e9)
        losses.append(scores.logsumexp(1) - scores.masked_fill(~right, -1e9).logsumexp(1))
    return torch.cat(losses).mean()


def likeness_loss(table: torch.Tensor, taught: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
    """How far some words' likeness to one another is from what the teacher says (KL)."""
    rows = (F.normalize(x[some], dim=1) for x in (taught, table))
    theirs, ours = (F.log_softmax((x @ x.T / SHARPNESS).fill_diagonal_(-1e9), dim=1) for x in rows)
    return F.kl_div(ours, theirs, log_target=True, reduction="batchmean")


def train(table: torch.Tensor, taught: torch.Tensor, books: list[Rows], args) -> torch.Tensor:
    """The table after `args.steps` steps of Adam, whose rate goes down to nothing."""
    table, rng = torch.nn.Parameter(table.clone()), random.Random(args.seed)
    peak = args.rate * table.detach().norm(dim=1).mean().item()
    adam = torch.optim.Adam([table], lr=peak, betas=(0.9, 0.99))
    taught = taught - taught.mean(0)
    for step in range(args.steps):
        adam.param_groups[0]["lr"] = peak * min(1, (step + 1) / 50) * (1 - step / args.steps)
        some = torch.tensor(rng.sample(range(len(table)), BATCH_WORDS))
        few = rng.sample(books, BATCH_BOOKS)
        search, reading, likeness = search_loss(table, few, rng), reading_loss(table, few, rng), likeness_loss(table, taught, some)
        adam.zero_grad()
        (search + reading + args.likeness * likeness).backward()
        adam.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}: search {search.item():.3f}, reading {reading.item():.3f}, likeness {likeness.item():.3f}", flush=True)
    return table.detach()


@torch.inference_mode()
def measure(table: torch.Tensor, books: list[Rows], only: set | None = None) -> str:
    """How often the right section of a book comes first and among the first three, and a sentence that answers first in what they hold."""
    ranks, read = [], []
    for book in books:
        questions = pool(table, book.questions)
        by_section, by_sentence = questions @ pool(table, book.sections).T, questions @ pool(table, book.sentences).T
        for row, a in enumerate(book.asked):
            if a.contact or (only is not None and book.topics[a.section] not in only):
                continue
            ranks.append(int((by_section[row] > by_section[row, a.section]).sum()))
            places = [n for s in by_section[row].topk(min(3, len(book.sections))).indices.tolist() for n in range(book.begins[s], book.begins[s + 1])]
            nearest = max(places, key=lambda n: by_sentence[row, n].item())
            read.append(nearest - book.begins[a.section] in a.sentences)
    share = lambda hits: 100 * sum(hits) / len(ranks)
    return f"{share(r < 1 for r in ranks):.1f} % first, {share(r < 3 for r in ranks):.1f} % among three, {share(read):.1f} % answered by the nearest sentence, of {len(ranks)}"


def write(path: Path, words: list[str], table: torch.Tensor) -> None:
    """A GGUF with the words and their rows in Q8_0."""
    writer = gguf.GGUFWriter(path, "word-table")
    writer.add_name("Hone starter embedder")
    writer.add_license("Apache-2.0")
    writer.add_description("Word vectors, distilled from sentence-transformers/all-MiniLM-L6-v2 and trained on invented handbooks")
    writer.add_token_list(words)
    rows = gguf.quants.quantize(table.numpy().astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("token_embd.weight", rows, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(args) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    print(vars(args), flush=True)
    books = make_books(range(TRAIN_SEEDS, TRAIN_SEEDS + args.books), without=args.without)
    words = vocabulary(AutoTokenizer.from_pretrained(args.teacher).get_vocab(), books)
    cut, taught = cutter(words), teach(args.teacher, words)
    unseen = encode(cut, make_books(EVAL_SEEDS, held_out=True))
    new = {t.heads[0] for n, t in enumerate(load()) if args.without and n % args.without == 0}
    table = first_table(taught, len(words) - WORDS)
    for name in ("before", "after"):
        print(f"{name}: {measure(table, unseen)}", flush=True)
        if new:
            print(f"{name}, on topics left out: {measure(table, unseen, new)}", flush=True)
        if name == "before":
            table = train(table, taught, encode(cut, books), args)
    write(args.out, words, table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="Hugging Face folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--books", type=int, default=400)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rate", type=float, default=0.01, help="of the rows' mean length")
    parser.add_argument("--likeness", type=float, default=4.0, help="weight of staying as the teacher says")
    parser.add_argument("--without", type=int, default=0, help="leave one topic in N out of training, to measure on it")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
