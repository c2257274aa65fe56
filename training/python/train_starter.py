"""Makes the starter model from nothing.   Run:  python train_starter.py --work DIR --out DIR --minutes 80

Three things make so small a model read: a warm-up on repeated random tokens (copying heads form in minutes), loss on
the replies only, and facts in so many wordings that looking things up is the only thing that helps. It goes on from
its last checkpoint in --work; figures on held-out dialogues go to --work/log.jsonl; the model goes to --out.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from starter_data import BATCH_TOKENS, TRAIN_SEEDS, Feed, train_tokenizer
from starter_eval import evaluate
from starter_export import export
from transformers import LlamaConfig, LlamaForCausalLM

SIZE = dict(vocab_size=2048, hidden_size=192, num_hidden_layers=5, intermediate_size=512, num_attention_heads=6, num_key_value_heads=6)
PEAK_RATE = 2e-3
WARM_UP = 0.05  # the share of the time in which most batches are repeated random tokens


def new_model() -> LlamaForCausalLM:
    """A fresh model. `<|im_start|>` doubles as the unused beginning-of-text token."""
    config = LlamaConfig(**SIZE, max_position_embeddings=2048, tie_word_embeddings=True, pad_token_id=0, bos_token_id=1, eos_token_id=2, rms_norm_eps=1e-5)
    return LlamaForCausalLM(config)


def optimizers(model) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the embedding and the norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [torch.optim.Muon(matrices, lr=PEAK_RATE, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.0)]


def repeated(vocab: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random tokens, then the same again: only copying predicts the second half."""
    half = int(torch.randint(12, 100, ()))
    first = torch.randint(3, vocab, (BATCH_TOKENS // half // 2, half))
    ids = torch.cat([first, first], 1)
    counts = torch.zeros_like(ids, dtype=torch.bool)
    counts[:, half + 1 :] = True
    return ids, counts


def padded(rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of one batch as tensors."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    counts = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, (row, counted) in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        counts[i, : len(row)] = torch.tensor(counted)
    return ids, counts


def loss_of(model, ids: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Cross entropy on the counted tokens. Logits are made for these alone: that saves a fifth of the time."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        logits = model.lm_head(hidden[counts[:, 1:]])
    return F.cross_entropy(logits.float(), ids[:, 1:][counts[:, 1:]])


def rate_at(progress: float, step: int) -> float:
    """Up in 100 steps, then down to a fiftieth, by the clock."""
    return min(1.0, (step + 1) / 100) * max(0.02, 1.0 - progress)


def save(path: Path, state: dict) -> None:
    """Writes a checkpoint whole or not at all."""
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


class Run:
    """A training run that can be stopped and gone on with."""

    def __init__(self, args):
        self.args, self.work = args, Path(args.work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.tokenizer_path = self.work / "tokenizer.json"
        if not self.tokenizer_path.exists():
            train_tokenizer(SIZE["vocab_size"]).save(str(self.tokenizer_path))
        torch.manual_seed(args.seed)
        self.model = new_model()
        self.optimizers = optimizers(self.model)
        self.step, self.tokens, self.spent = 0, 0, 0.0
        if (self.work / "last.pt").exists():
            self.restore(torch.load(self.work / "last.pt", weights_only=True))
        self.feed = Feed(self.tokenizer_path, TRAIN_SEEDS * (1 + args.seed) + self.step * 64)

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        for optimizer, values in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.step, self.tokens, self.spent = state["step"], state["tokens"], state["spent"]

    def checkpoint(self) -> None:
        save(self.work / "last.pt", {"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers],
                                     "step": self.step, "tokens": self.tokens, "spent": self.spent})

    def batch(self, progress: float):
        warming = progress < WARM_UP
        if self.step % 20 < (16 if warming else 1) and progress < 0.9:
            return repeated(SIZE["vocab_size"])
        return padded(self.feed.next())

    def train_step(self, progress: float) -> float:
        ids, counts = self.batch(progress)
        loss = loss_of(self.model, ids, counts)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATE * rate_at(progress, self.step)
            optimizer.step()
            optimizer.zero_grad()
        self.step, self.tokens = self.step + 1, self.tokens + ids.numel()
        return loss.item()

    def report(self, loss: float, count: int) -> dict:
        """Figures on held-out dialogues, appended to the log."""
        found = evaluate(self.model, self.tokenizer_path, count)
        row = {"minutes": round(self.spent / 60, 1), "step": self.step, "tokens": self.tokens, "loss": round(loss, 4), **found}
        with (self.work / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print({k: v for k, v in row.items() if k != "misses"}, flush=True)
        return row

    def run(self) -> None:
        budget, last, since = self.args.minutes * 60, self.spent, time.time() - self.spent
        smooth = 0.0
        while self.spent < budget:
            progress = self.spent / budget
            self.feed.progress.value = progress
            loss = self.train_step(progress)
            smooth = 0.98 * smooth + 0.02 * loss if smooth else loss
            self.spent = time.time() - since
            if self.step % 50 == 0:
                print(f"step {self.step} loss {smooth:.3f} tokens {self.tokens / 1e6:.2f}M {self.tokens / self.spent:.0f}/s {self.spent / 60:.1f} min", flush=True)
            if self.spent - last > self.args.every * 60:
                last = self.spent
                self.checkpoint()
                self.publish(self.report(smooth, 60))
        self.checkpoint()
        self.publish(self.report(smooth, 400))

    def publish(self, row: dict) -> None:
        if self.args.out:
            export(self.model, self.tokenizer_path, Path(self.args.out), row)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True, help="checkpoints and log")
    parser.add_argument("--out", help="where the model is written after each evaluation")
    parser.add_argument("--minutes", type=float, default=80, help="time for the whole training, checkpoints included")
    parser.add_argument("--every", type=float, default=5, help="minutes between evaluations")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    print(vars(args), SIZE, flush=True)
    torch.set_num_threads(args.threads)
    Run(args).run()


if __name__ == "__main__":
    main()
