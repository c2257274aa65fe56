"""Asks a model held-out questions and counts right replies.   Run:  python starter_eval.py MODEL_FOLDER --count 400"""

import argparse
import json
from pathlib import Path

import torch
from handbooks import Shape, make_dialogue
from handbooks.checking import figures
from starter_data import encode_dialogue
from starter_family import OPENINGS
from starter_highlights import Highlighter
from tokenizers import Tokenizer

EVAL_SHAPE = Shape(turns=(1, 3), library=(28, 34))


def prompts(tokenizer: Tokenizer, seeds, shape: Shape, opening: str = ""):
    """(turn, prompt ids) for every turn of held-out dialogues, with the right replies as history."""
    near = Highlighter().near
    for seed in seeds:
        dialogue = make_dialogue(seed, shape, held_out=True, near=near)
        messages = dialogue.messages()
        start = len(messages) - 2 * len(dialogue.turns)
        for i, turn in enumerate(dialogue.turns):
            ids, _ = encode_dialogue(tokenizer, messages[: start + 2 * i + 1], opening)
            yield turn, ids + [1, *tokenizer.encode(f"assistant\n{opening}").ids]


@torch.inference_mode()
def replies(model, tokenizer: Tokenizer, rows: list[list[int]], longest: int = 90, size: int = 24, temperature: float = 0.0) -> list[str]:
    """Replies to prompts, greedy unless a temperature is given, in batches of similar length."""
    out: dict[int, str] = {}
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    how = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
    for at in range(0, len(order), size):
        group = order[at : at + size]
        width = max(len(rows[i]) for i in group)
        ids = torch.tensor([[0] * (width - len(rows[i])) + rows[i] for i in group], device=model.device)
        made = model.generate(input_ids=ids, attention_mask=(ids != 0).long(), max_new_tokens=longest, eos_token_id=2, pad_token_id=0, **how)
        for i, row in zip(group, made[:, width:].tolist(), strict=True):
            out[i] = tokenizer.decode(row, skip_special_tokens=True)
    return [out[i] for i in range(len(rows))]


def evaluate(model, tokenizer_path: Path, count: int, shape: Shape = EVAL_SHAPE, temperature: float = 0.0) -> dict:
    """Figures over `count` held-out dialogues."""
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    turns, rows = zip(*prompts(tokenizer, range(count), shape, OPENINGS[model.config.model_type]))
    was_training = model.training
    model.eval()
    found = figures(list(turns), replies(model, tokenizer, list(rows), temperature=temperature))
    model.train(was_training)
    return found


def main(argv: list[str] | None = None) -> None:
    from transformers import AutoModelForCausalLM

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--count", type=int, default=400, help="held-out dialogues")
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--misses", type=int, default=0, help="how many wrong replies to show")
    args = parser.parse_args(argv)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    found = evaluate(model, Path(args.model) / "tokenizer.json", args.count, temperature=args.temperature)
    misses = found.pop("misses")
    print(json.dumps(found, indent=1))
    for miss in misses[: args.misses]:
        print(json.dumps(miss))


if __name__ == "__main__":
    main()
