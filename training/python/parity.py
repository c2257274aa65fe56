"""A random LoRA, and what Hugging Face with PEFT says of given replies.   Run:  python parity.py BASE REPLIES.jsonl OUT

`bench --suite parity` compares it with what the engine says. REPLIES has a {"prompt": [...], "reply": "..."} a line.
Writes OUT/lora.gguf, and OUT/wrong.gguf whose q and k rows stand in the other order than they must: left as they are
for a Llama, permuted for a Qwen or a Gemma. stdout gets a line for each reply: {"tokens", "base", "lora"}, log-probabilities in nats.
"""

import json
import sys
from pathlib import Path
from unittest.mock import patch

import lora_gguf
import torch
from gguf_names import heads_of, heads_to_permute
from peft import LoraConfig, get_peft_model
from render import token_ids
from transformers import AutoModelForCausalLM, AutoTokenizer

RANK, ALPHA, SEED = 16, 32, 5
# Size of what the LoRA adds, as a share of the weights it is added to: far more than training would do.
SHARE = 0.2


def main(base: Path, replies: Path, out: Path) -> None:
    # Beside other work, threads wait for each other more than they compute.
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    # Of the ways to compute attention only this one knows Gemma 2's cap on scores.
    options = {"dtype": torch.float32, "attn_implementation": "eager", "local_files_only": True}
    model = random_lora(AutoModelForCausalLM.from_pretrained(base, **options))
    model.save_pretrained(out / "peft")
    lora_gguf.write_lora_gguf(out / "peft", base, out / "lora.gguf")
    with patch.object(lora_gguf, "heads_to_permute", the_other_way):
        lora_gguf.write_lora_gguf(out / "peft", base, out / "wrong.gguf")
    for line in replies.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        head, tail = token_ids(tokenizer, row["prompt"], [{"role": "assistant", "content": row["reply"]}])
        tail = tail[: len(tail) - tail[::-1].index(tokenizer.eos_token_id)]
        with model.disable_adapter():
            bare = log_probability(model, head, tail)
        print(json.dumps({"tokens": len(tail), "base": bare, "lora": log_probability(model, head, tail)}))


def the_other_way(hf_name: str, config: dict) -> int | None:
    return None if heads_to_permute(hf_name, config) else heads_of(hf_name, config)


def random_lora(model):
    """A LoRA on every linear layer, as training makes them, whose product is `SHARE` of each layer's weights."""
    torch.manual_seed(SEED)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, config).eval()
    for layer in model.modules():
        if hasattr(layer, "lora_B"):
            b = layer.lora_B["default"].weight
            torch.nn.init.normal_(b)
            b.data *= SHARE * layer.base_layer.weight.norm() / layer.get_delta_weight("default").norm()
    return model


@torch.no_grad()
def log_probability(model, head: list[int], tail: list[int]) -> float:
    """Sum over the tokens of `tail`, each after all that stand before it."""
    logits = model(torch.tensor([head + tail])).logits[0, len(head) - 1 : -1].double()
    return float(logits.log_softmax(-1).gather(1, torch.tensor(tail)[:, None]).sum())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
