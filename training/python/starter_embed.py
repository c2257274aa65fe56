"""Makes the starter's embedder, a table of word vectors.   Run:  python starter_embed.py --teacher DIR --out embedder.gguf

A text's vector is the sum of its words' vectors. The table begins with what the teacher (a BERT sentence embedding model in
a Hugging Face folder) says of each word alone, in fewer dimensions and with frequent words made short, as Model2Vec does.
Then questions about invented handbooks must find their section among those of the same firm and of other firms (InfoNCE),
while the words must stay as like one another as the teacher finds them. Reserved wordings and names are never trained on.
"""

import argparse
import random
import re
from collections import Counter
from itertools import accumulate
from pathlib import Path

import gguf
import numpy as np
import torch
import torch.nn.functional as F
from handbooks.books import plan
from handbooks.questions import ask
from handbooks.topics import load
from handbooks.world import World
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoModel, AutoTokenizer

TRAIN_SEEDS = 3_000_000  # training books begin here
EVAL_SEEDS = range(81_000, 81_012)  # other books than the bench's
DIM, WORDS = 192, 16_000
SMOOTHING = 1e-3  # a of a / (a + p(word))
SHARPNESS = 0.05  # similarities are divided by it
BATCH_BOOKS, BATCH_QUESTIONS, BATCH_WORDS = 6, 30, 512
FORGOTTEN = 0.3  # share of a question's words that are left out, so that each word has to help


def make_book(seed: int, held_out: bool = False) -> tuple[list, list]:
    """(sections as (text, topic), questions as (text, place of the section)) of an invented firm."""
    world = World(random.Random(seed), held_out)
    sections = [s for page in plan(world).values() for s in page]
    topics = {fact.id: topic.heads[0] for topic in load() for fact in topic.facts}
    texts = [(f"{s.title}\n{s.body}", topics[s.claims[0].fact.id]) for s in sections]
    return texts, [(ask(world, c), n) for n, s in enumerate(sections) for c in s.claims if c.fact.id != "section-contact"]


def make_books(seeds, held_out: bool = False, without: int = 0, log=print) -> list:
    """Books of these seeds. `without` n: one topic in n never occurs, to see how it is found by words learnt elsewhere."""
    topics = load()
    kept = topics[:]
    topics[:] = [t for n, t in enumerate(kept) if not without or n % without]
    made = [make_book(seed, held_out) for seed in seeds]
    topics[:] = kept
    log(f"{len(made)} books, {sum(len(asked) for _, asked in made)} questions")
    return made


def vocabulary(teacher_tokens: dict[str, int], books: list) -> list[str]:
    """The books' own words, then the teacher's most frequent words and pieces (its vocabulary is ordered by frequency)."""
    known = [t for t in sorted(teacher_tokens, key=teacher_tokens.get) if re.fullmatch(r"(##)?([a-z]+|[0-9]{1,2})", t)][:WORDS]
    seen = Counter(w for texts, asked in books for w in set(re.findall(r"[a-z]{3,}", " ".join(t for t, _ in texts + asked).lower())))
    return sorted(w for w, books in seen.items() if books >= 4 and w not in set(known)) + known


def cutter(words: list[str]):
    """Texts to lists of rows, as knowledge/word-pieces.ts does it."""
    model = models.WordPiece({w: n for n, w in enumerate([*words, "[UNK]"])}, unk_token="[UNK]", max_input_chars_per_word=64)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\p{L}\p{N}]+"), "removed")
    return lambda texts: [[n for n in e.ids if n < len(words)] for e in tokenizer.encode_batch(texts)]


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


def encode(cut, books: list) -> list[tuple]:
    """Books as rows of the table: sections, their topics, questions, their sections."""
    return [(cut([t for t, _ in texts]), [topic for _, topic in texts], cut([q for q, _ in asked]), [n for _, n in asked]) for texts, asked in books if asked]


def search_loss(table: torch.Tensor, books: list[tuple], rng: random.Random) -> torch.Tensor:
    """Each question must find its section among all of several books, but for other firms' sections of the same topic."""
    sections, topics, asked, right = [], [], [], []
    for texts, own, questions, places in books:
        chosen = rng.sample(range(len(questions)), min(BATCH_QUESTIONS, len(questions)))
        right += [len(sections) + places[n] for n in chosen]
        asked += [[w for w in questions[n] if rng.random() > FORGOTTEN] or questions[n] for n in chosen]
        sections, topics = sections + texts, topics + own
    scores = pool(table, asked) @ pool(table, sections).T / SHARPNESS
    alike = torch.tensor([[topics[r] == t and r != n for n, t in enumerate(topics)] for r in right])
    return F.cross_entropy(scores.masked_fill(alike, -1e9), torch.tensor(right))


def likeness_loss(table: torch.Tensor, taught: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
    """How far some words' likeness to one another is from what the teacher says (KL)."""
    rows = (F.normalize(x[some], dim=1) for x in (taught, table))
    theirs, ours = (F.log_softmax((x @ x.T / SHARPNESS).fill_diagonal_(-1e9), dim=1) for x in rows)
    return F.kl_div(ours, theirs, log_target=True, reduction="batchmean")


def train(table: torch.Tensor, taught: torch.Tensor, books: list[tuple], args) -> torch.Tensor:
    """The table after `args.steps` steps of Adam, whose rate goes down to nothing."""
    table, rng = torch.nn.Parameter(table.clone()), random.Random(args.seed)
    peak = args.rate * table.detach().norm(dim=1).mean().item()
    adam = torch.optim.Adam([table], lr=peak, betas=(0.9, 0.99))
    taught = taught - taught.mean(0)
    for step in range(args.steps):
        adam.param_groups[0]["lr"] = peak * min(1, (step + 1) / 50) * (1 - step / args.steps)
        some = torch.tensor(rng.sample(range(len(table)), BATCH_WORDS))
        search, likeness = search_loss(table, rng.sample(books, BATCH_BOOKS), rng), likeness_loss(table, taught, some)
        adam.zero_grad()
        (search + args.likeness * likeness).backward()
        adam.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}: search {search.item():.3f}, likeness {likeness.item():.3f}", flush=True)
    return table.detach()


def measure(table: torch.Tensor, books: list[tuple], only: set | None = None) -> str:
    """How often the right section of a book comes first, and among the first three."""
    ranks = []
    for sections, topics, asked, right in books:
        scores, wanted = pool(table, asked) @ pool(table, sections).T, torch.tensor(right)[:, None]
        rank = (scores > scores.gather(1, wanted)).sum(1).tolist()
        ranks += [r for r, n in zip(rank, right, strict=True) if only is None or topics[n] in only]
    share = lambda top: 100 * sum(r < top for r in ranks) / len(ranks)
    return f"{share(1):.1f} % first, {share(3):.1f} % among three, of {len(ranks)}"


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
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0.01, help="of the rows' mean length")
    parser.add_argument("--likeness", type=float, default=4.0, help="weight of staying as the teacher says")
    parser.add_argument("--without", type=int, default=0, help="leave one topic in N out of training, to measure on it")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
