"""Makes the starter model from nothing.   Run:  torchrun --nproc-per-node 2 train_starter.py --work DIR --out DIR --minutes 80
On a GPU:  torchrun --nproc-per-node 1 train_starter.py --work DIR --out DIR --minutes 8 --layers 6 --batch 49152 --feeders 14

Four things make so small a model read: it starts with heads that copy (starter_init), some heads are told where to look
(starter_pointers), loss is on the replies only, and facts come in so many wordings that looking things up is the only
thing that helps. It goes on from its last checkpoint in --work; figures on held-out dialogues go to --work/log.jsonl; the
model goes to --out.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from starter_data import BATCH_TOKENS, TRAIN_SEEDS, Batch, Feed, sample, train_tokenizer
from starter_eval import evaluate
from starter_export import export
from starter_family import OPENINGS, load_family
from starter_init import copying_heads
from starter_optim import Muon
from starter_pointers import NEXT
from tokenizers import Tokenizer
from transformers import AttentionInterface, AttentionMaskInterface, LlamaConfig, LlamaForCausalLM

SIZE = dict(vocab_size=2048, hidden_size=256, intermediate_size=640, num_attention_heads=4, num_key_value_heads=4)
PEAK_RATE = 1.2e-3
GOING_ON = 0.5  # how far along the curriculum and the rate are when a run goes on from weights that can read
WARM_UP = 0.03  # at most this share of the time goes by before copying works
TELLING = 0.5  # the weight of telling heads where to look, at the start; it goes down to nothing
COPIES = 1.0  # the loss on repeated random tokens below which copying works


SHOWN = {}  # queries and keys of the layer whose first heads are told where to look, the last but one, in the latest forward pass
DEVICE = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu")
AMX = "amx_bf16" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False
BFLOAT16 = DEVICE.type == "cuda" or AMX  # slower than float32 on other processors


def causal_attention(module, query, key, value, attention_mask, scaling, **_):
    """PyTorch's causal attention, masked where rows have branches, which also shows what the told heads compare."""
    if module.layer_idx == module.config.num_hidden_layers - 2:
        SHOWN.update(queries=query * scaling, keys=key)
    mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask, is_causal=attention_mask is None, scale=scaling)
    return mixed.transpose(1, 2).contiguous(), None


AttentionInterface.register("causal", causal_attention)
AttentionMaskInterface.register("causal", lambda *_, **__: None)  # padding stands at the end and is never counted


def new_model(layers: int) -> LlamaForCausalLM:
    """A fresh model. `<|im_start|>` doubles as the unused beginning-of-text token."""
    config = LlamaConfig(**SIZE, num_hidden_layers=layers, max_position_embeddings=2048, tie_word_embeddings=True, pad_token_id=0, bos_token_id=1, eos_token_id=2, rms_norm_eps=1e-5)
    model = LlamaForCausalLM(config)
    copying_heads(model)
    return model


def going_on(weights: Path, family: str):
    """The model in a folder, as one of this family."""
    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    read = Batch.of([sample(tokenizer, TRAIN_SEEDS - 1 - seed, 1.0) for seed in range(4)])
    return load_family(weights, family, torch.from_numpy(read.ids))


def repeated(vocab: int, tokens: int) -> Batch:
    """Random tokens, then the same again: only copying predicts the second half."""
    half = int(torch.randint(8, 48, ()))
    first = torch.randint(3, vocab, (tokens // half // 2, half)).numpy()
    ids = np.concatenate([first, first], 1)
    counts = np.zeros_like(ids, dtype=np.bool_)
    counts[:, half + 1 :] = True
    positions = np.broadcast_to(np.arange(2 * half), ids.shape)
    return Batch(ids, counts, positions, np.zeros_like(ids, dtype=np.uint8), np.zeros((0, 4), np.int64))


def loss_of(model, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy on the counted tokens, and of the told heads on where they should look.

    Logits are made for the counted tokens alone: that saves a fifth of the time.
    """
    ids, counts, links = (torch.from_numpy(one).to(DEVICE) for one in (batch.ids, batch.counts, batch.links))
    seen = seen_in(batch.branches[:, :-1])
    where = {} if seen is None else {"attention_mask": seen, "position_ids": torch.from_numpy(batch.positions[:, :-1]).to(DEVICE)}
    model.config._attn_implementation = "causal"
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=BFLOAT16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False, **where).last_hidden_state
        logits = model.lm_head(hidden[counts[:, 1:]])
    model.config._attn_implementation = "sdpa"
    pointing = told(SHOWN.pop("queries"), SHOWN.pop("keys"), links, seen)
    return F.cross_entropy(logits.float(), ids[:, 1:][counts[:, 1:]]), pointing


def seen_in(branches: np.ndarray) -> torch.Tensor | None:
    """Which token (rows, 1, length that looks, length) sees which, from the branch of each (rows, length); None: all before it."""
    if not branches.any():
        return None
    branch = torch.from_numpy(branches).to(DEVICE)
    known = (branch[:, None] == 0) | (branch[:, None] == branch[:, :, None])
    return (known & torch.ones(known.shape[1:], dtype=torch.bool, device=DEVICE).tril())[:, None]


def told(queries: torch.Tensor, keys: torch.Tensor, links: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
    """How far the told heads are from looking where they should, from (batch, heads, length, size) of their layer.

    Only the tokens that are told something are compared with all that they see.
    """
    if len(links) == 0:
        return torch.zeros((), device=keys.device)
    length, losses = keys.shape[2], []
    for heads in ([NEXT], [head for head in range(keys.shape[1]) if head != NEXT]):
        some = links[torch.isin(links[:, 2], torch.tensor(heads, device=links.device))]
        # All that one head of one row is told is one product; the shorter lists are filled up.
        group, order = (some[:, 0] * keys.shape[1] + some[:, 2]).sort(stable=True)
        found, sizes = group.unique_consecutive(return_counts=True)
        if len(found) == 0:
            continue
        _, looks_at, _, at = some[order].unbind(1)
        nth = torch.arange(len(group), device=group.device) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        looks, target = (torch.full((len(found), int(sizes.max())), fill, device=group.device) for fill in (0, -100))
        place = torch.arange(len(found), device=group.device).repeat_interleave(sizes), nth
        looks[place], target[place] = looks_at, at
        row, head = found // keys.shape[1], found % keys.shape[1]
        scores = (queries[row[:, None], head[:, None], looks] @ keys[row, head].transpose(1, 2)).float()
        hidden = torch.arange(length, device=group.device) > looks[..., None] if seen is None else ~seen[row[:, None], 0, looks]
        losses.append(F.cross_entropy(scores.masked_fill(hidden, float("-inf")).flatten(0, 1), target.flatten()))
    return sum(losses)


def rate_at(progress: float, step: int) -> float:
    """Up in 200 steps, then down to a fiftieth, by the clock."""
    return min(1.0, (step + 1) / 200) * max(0.02, 1.0 - progress)


def save(path: Path, state: dict) -> None:
    """Writes a checkpoint whole or not at all."""
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


class Run:
    """A training run that can be stopped and gone on with. Each process computes gradients on its own single thread.

    One thread a process, gradients averaged once a step: on a busy machine twice as fast as two threads that wait for
    each other in every operation.
    """

    def __init__(self, args):
        self.args, self.work, self.rank, self.ranks = args, Path(args.work), dist.get_rank(), dist.get_world_size()
        self.work.mkdir(parents=True, exist_ok=True)
        self.tokenizer_path = self.work / "tokenizer.json"
        if self.rank == 0 and not self.tokenizer_path.exists():
            tokenizer = Tokenizer.from_file(str(Path(args.weights) / "tokenizer.json")) if args.weights else train_tokenizer(SIZE["vocab_size"])
            tokenizer.save(str(self.tokenizer_path))
        dist.barrier()
        torch.manual_seed(args.seed)
        self.model = (going_on(Path(args.weights), args.family) if args.weights else new_model(args.layers)).to(DEVICE)
        matrices = [p for p in self.model.model.layers.parameters() if p.ndim == 2]
        chosen = {id(p) for p in matrices}
        self.muon = Muon(matrices)
        self.adam = torch.optim.AdamW([p for p in self.model.parameters() if id(p) not in chosen], lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.0)
        self.begun = GOING_ON if args.weights else 0.0
        self.telling = 0.0 if args.weights else TELLING  # heads that can read also read highlights, and shouldn't be told not to
        self.step, self.tokens, self.spent, self.figures = 0, 0, 0.0, {}
        self.pointing = 0.0
        self.loss = self.copy_loss = 7.6  # smoothed; a uniform guess among 2,048 tokens costs 7.6
        if (self.work / "last.pt").exists():
            self.restore(torch.load(self.work / "last.pt", weights_only=True, map_location=DEVICE))
        torch.manual_seed(args.seed + 1000 * self.rank + self.step)
        first = TRAIN_SEEDS * (1 + args.seed * 50 + self.rank) + self.tokens // 200
        self.feed = Feed(self.tokenizer_path, first, OPENINGS[args.family], args.batch, args.feeders)

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.adam.load_state_dict(state["adam"])
        self.muon.momenta = state["muon"]
        self.step, self.tokens, self.spent = state["step"], state["tokens"], state["spent"]
        self.loss, self.copy_loss = state["loss"], state["copy_loss"]

    def checkpoint(self) -> None:
        save(self.work / "last.pt", {"model": self.model.state_dict(), "adam": self.adam.state_dict(), "muon": self.muon.momenta, "step": self.step,
                                     "tokens": self.tokens, "spent": self.spent, "loss": self.loss, "copy_loss": self.copy_loss})

    def copying(self, progress: float) -> bool:
        """Whether this step practises copying: every other until that works well, later one in twenty."""
        if self.copy_loss > COPIES and progress < WARM_UP:
            return self.step % 2 == 0
        return self.step % 20 == 0 and progress < 0.9

    def train_step(self, progress: float) -> None:
        copying = self.copying(progress)
        batch = repeated(SIZE["vocab_size"], self.args.batch // 3) if copying else self.feed.next()
        loss, pointing = loss_of(self.model, batch)
        (loss + self.telling * (1 - progress) * pointing).backward()
        found = self.average([loss.item(), pointing.item(), batch.ids.size])
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rate = PEAK_RATE * rate_at(progress, self.step)
        self.muon.step(rate)
        self.adam.param_groups[0]["lr"] = rate / 2
        self.adam.step()
        self.model.zero_grad()
        self.step, self.tokens = self.step + 1, self.tokens + round(found[2] * self.ranks)
        if copying:
            self.copy_loss = 0.9 * self.copy_loss + 0.1 * found[0]
        else:
            self.loss = 0.97 * self.loss + 0.03 * found[0]
            self.pointing = 0.97 * self.pointing + 0.03 * found[1]

    def average(self, figures: list[float]) -> list[float]:
        """Averages gradients and figures over the processes."""
        if self.ranks == 1:
            return figures
        grads = [p.grad for p in self.model.parameters()]
        flat = torch.cat([g.flatten() for g in grads] + [torch.tensor(figures, dtype=torch.float32, device=DEVICE)])
        dist.all_reduce(flat)
        at = 0
        for grad in grads:
            grad.copy_(flat[at : at + grad.numel()].view_as(grad) / self.ranks)
            at += grad.numel()
        return (flat[at:] / self.ranks).tolist()

    def agree(self, value: float) -> float:
        """The first process's value, in all of them: clocks differ."""
        told = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(told, 0)
        return told.item()

    def report(self, count: int) -> dict:
        """Figures on held-out dialogues, appended to the log."""
        found = evaluate(self.model, self.tokenizer_path, count)
        row = {"minutes": round(self.spent / 60, 1), "step": self.step, "tokens": self.tokens, "loss": round(self.loss, 4), "copy_loss": round(self.copy_loss, 3), **found}
        with (self.work / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print({k: v for k, v in row.items() if k != "misses"}, flush=True)
        return row

    def run(self) -> None:
        budget, last, since, published = self.args.minutes * 60, self.spent, time.time() - self.spent, 0
        while self.spent < budget:
            progress = self.begun + (1 - self.begun) * self.spent / budget
            self.feed.progress.value = progress
            self.train_step(progress)
            self.spent = self.agree(time.time() - since)
            if self.step % 50 == 0 and self.rank == 0:
                print(f"step {self.step} loss {self.loss:.3f} copying {self.copy_loss:.3f} pointing {self.pointing:.3f} tokens {self.tokens / 1e6:.2f}M {self.spent / 60:.1f} min", flush=True)
            if self.spent - last > self.args.every * 60:
                last, published = self.spent, published + 1
                self.publish(30 if published % 3 == 0 else 0)
        self.publish(self.args.count)

    def publish(self, count: int) -> None:
        """Checkpoint, figures if `count` isn't 0 and, if wanted, the model for others to use; by the first process alone."""
        if self.rank == 0:
            self.checkpoint()
            self.figures = self.report(count) if count else {**self.figures, "step": self.step, "loss": round(self.loss, 4)}
            if self.args.out:
                export(self.model, self.tokenizer_path, Path(self.args.out), self.figures)
        dist.barrier()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True, help="checkpoints and log")
    parser.add_argument("--out", help="where the model is written after each evaluation")
    parser.add_argument("--weights", help="a model folder to go on from where there is no checkpoint, e.g. ../starter; else it starts anew")
    parser.add_argument("--family", choices=OPENINGS, default="llama", help="the architecture and chat layout; another than --weights has needs --weights")
    parser.add_argument("--minutes", type=float, default=80, help="time for the whole training, checkpoints included")
    parser.add_argument("--every", type=float, default=5, help="minutes between checkpoints; every third comes with figures")
    parser.add_argument("--layers", type=int, default=5, help="of a new model")
    parser.add_argument("--batch", type=int, default=BATCH_TOKENS, help="tokens a step and process")
    parser.add_argument("--feeders", type=int, default=1, help="processes that make text for each that trains")
    parser.add_argument("--count", type=int, default=400, help="held-out dialogues that the finished model is asked")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.family != "llama" and not args.weights:
        parser.error("only a llama starts anew: give --weights")
    if DEVICE.type == "cuda" and DEVICE.index >= torch.cuda.device_count():
        parser.error(f"one process a GPU: --nproc-per-node {torch.cuda.device_count()}, or hide the GPU with CUDA_VISIBLE_DEVICES=")
    print(vars(args), SIZE, flush=True)
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    dist.init_process_group("gloo")
    Run(args).run()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
