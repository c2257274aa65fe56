"""Random models of some families as Hugging Face folders and as GGUF.   Run:  python families.py OUT KIND...

OUT/KIND gets the folder `hf` and the file `model.gguf` (float32). They speak the starter model's tokens, which our
converter can write. Their weights are far larger than those that training begins with: else all they say would be about
equally likely, and a LoRA would change nothing that could be measured.
"""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from base_gguf import convert
from transformers import AutoConfig, AutoModelForCausalLM

STARTER = Path(__file__).parents[2] / "starter"
# The sixth layer of a Gemma 3 is the first that sees everything.
LAYERS = {"gemma3_text": 6}


def write_family(kind: str, out: Path) -> None:
    torch.manual_seed(11)
    starter = json.loads((STARTER / "config.json").read_text(encoding="utf-8"))
    tokens = {key: starter[key] for key in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")}
    config = AutoConfig.for_model(
        kind, hidden_size=64, intermediate_size=96, num_hidden_layers=LAYERS.get(kind, 2), num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, max_position_embeddings=2048, tie_word_embeddings=True, initializer_range=0.15, **tokens,
        **({"query_pre_attn_scalar": 16} if kind.startswith("gemma") else {}),
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config)
    for name, weight in model.named_parameters():
        # As they begin, norms and biases say nothing: a converter that loses them would not be noticed.
        if weight.ndim == 1:
            torch.nn.init.normal_(weight, std=0.2)
            weight.data += 0 if kind.startswith("gemma") or name.endswith("bias") else 1
    model.save_pretrained(out / "hf")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STARTER / name, out / "hf" / name)
    convert(out / "hf", out / "model.gguf", kind, "F32")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        write_family(name, Path(sys.argv[1]) / name)
