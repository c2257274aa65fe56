"""A random two-layer model with a byte-level tokenizer, and a few rows: enough to run the trainer for real."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_model(folder: Path, kind: str = "llama") -> Path:
    """A Hugging Face folder: hidden 32, 2 layers, 4 heads of which 2 for keys, so that both permutations are used."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate(["<|pad|>", "<|im_start|>", "<|im_end|>", *alphabet])}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens(["<|pad|>", "<|im_start|>", "<|im_end|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<|pad|>", eos_token="<|im_end|>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(1)
    config = AutoConfig.for_model(
        kind, vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=256,
        tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        **({"query_pre_attn_scalar": 8} if kind.startswith("gemma") else {}),
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_base(folder: Path) -> None:
    """`folder`/base.gguf of `folder`/model: what full fine-tuning starts from beside the weights."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from base_gguf import convert

    convert(folder / "model", folder / "base.gguf", matrices="F32")


def ask(question: str) -> list[dict]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]


def say(text: str) -> list[dict]:
    return [{"role": "assistant", "content": text}]


def write_dataset(folder: Path, method: str = "dpo", rows: int = 8) -> Path:
    """Rows that prefer `yes` to `no`, and two replay rows."""
    made = []
    for index in range(rows):
        prompt = ask(f"Is {index} fine?")
        if method in ("dpo", "rl"):
            made.append({"prompt": prompt, "chosen": say("yes"), "rejected": say("no")})
        elif method == "kto":
            made.append({"prompt": prompt, "completion": say("yes"), "label": index % 2 == 0})
        else:
            made.append({"prompt": prompt, "completion": say("yes")})
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / "train.jsonl", made)
    write_lines(folder / "replay.jsonl", [{"prompt": ask("Hello?"), "completion": say("Hi.")} for _ in range(2)])
    return folder


def write_lines(path: Path, rows: list) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def job_fields(folder: Path, method: str = "dpo", **hyper) -> dict:
    """A whole job on `folder`/model and `folder`/data; `hyper` overrides."""
    return {
        "id": "job-1",
        "method": method,
        "model": str(folder / "model"),
        "dataset": str(folder / "data"),
        "output": str(folder / "out"),
        "seed": 7,
        "fit": {"microBatch": hyper.get("batchSize", 4), "checkpointing": False},
        "checkpointSeconds": 60,
        "hyper": {
            "learningRate": 1e-2, "epochs": 1, "batchSize": 4, "beta": 0.1, "sftWeight": 0.5, "labelSmoothing": 0, "strength": 1,
            "rank": 4, "alpha": 8, "targets": "all-linear", "maxLength": 128, **hyper,
        },
    }  # fmt: skip


def write_job(folder: Path, method: str, output: str, more: dict | None = None, **hyper) -> Path:
    """A dataset and a `job.json` for it, which writes to `folder`/`output`; `more` are fields besides `hyper`."""
    write_dataset(folder / "data", method)
    if method == "full":
        more = {"gguf": str(folder / "base.gguf"), **(more or {})}
    path = folder / f"{output}.json"
    path.write_text(json.dumps({**job_fields(folder, method, **hyper), "output": str(folder / output), **(more or {})}))
    return path


def run_job(path: Path, stop_at: int | None = None, by=signal.SIGTERM, modules: Path | None = None) -> tuple[int, list[dict]]:
    """(exit code, events) of a real run; from step `stop_at` on, the signal `by` is sent once, or `by` is called.

    `modules` are a folder that Python looks into before its own.
    """
    env = {**os.environ, **({"PYTHONPATH": str(modules)} if modules else {})}
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(
            [sys.executable, "train.py", str(path)], cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE, stderr=log, text=True, env=env,
        )  # fmt: skip
        events = []
        for line in child.stdout:
            event = json.loads(line)
            # On a busy machine one may come after the last word.
            if event["type"] == "heartbeat":
                continue
            events.append(event)
            if stop_at is not None and event.get("step", 0) >= stop_at:
                stop_at = None
                by(child) if callable(by) else child.send_signal(by)
        child.stdout.close()
        code = child.wait()
        log.seek(0)
        return code, events if events else [{"stderr": log.read()}]
