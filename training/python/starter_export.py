"""Writes a model as a folder that Hugging Face and llama.cpp both read, equal to the bit in the matrices."""

import json
import os
import shutil
import time
from pathlib import Path

import torch
from base_gguf import convert
from safetensors.torch import save_file
from starter_family import OPENINGS

TOKENIZER_CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<|pad|>", "eos_token": "<|im_end|>", "clean_up_tokenization_spaces": False,
                    "model_max_length": 2048}
GENERATION = {"eos_token_id": 2, "pad_token_id": 0, "do_sample": True, "temperature": 0.7, "max_new_tokens": 160}


def template_of(opening: str) -> str:
    """ChatML as a Jinja template, with `opening` before each reply.

    >>> template_of("").count("assistant")
    1
    """
    said = f"{{% if m.role == 'assistant' %}}{opening}{{% endif %}}" if opening else ""
    return (f"{{% for m in messages %}}<|im_start|>{{{{ m.role }}}}\n{said}{{{{ m.content }}}}<|im_end|>\n{{% endfor %}}"
            f"{{% if add_generation_prompt %}}<|im_start|>assistant\n{opening}{{% endif %}}")


def write_folder(model, tokenizer_path: Path, folder: Path) -> None:
    """config.json, model.safetensors, the tokenizer and the GGUF (starter.gguf, or named after another family) in an empty folder."""
    state = {name: w.detach().to("cpu", torch.float16).contiguous().clone() for name, w in model.state_dict().items() if name != "lm_head.weight"}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict()
    config.update(architectures=[type(model).__name__], dtype="float16", tie_word_embeddings=True)
    dump(folder / "config.json", {k: v for k, v in config.items() if not k.startswith("_") and k != "transformers_version"})
    shutil.copy(tokenizer_path, folder / "tokenizer.json")
    dump(folder / "tokenizer_config.json", {**TOKENIZER_CONFIG, "chat_template": template_of(OPENINGS[model.config.model_type])})
    dump(folder / "generation_config.json", GENERATION)
    name = "starter" if model.config.model_type == "llama" else model.config.model_type
    convert(folder, folder / f"{name}.gguf", f"Hone {name}")


def dump(path: Path, data: dict) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n")


def export(model, tokenizer_path: Path, out: Path, row: dict) -> None:
    """Replaces `out` by the model as it is now, with a line about how good it is in STATUS.txt."""
    fresh, old = out.with_name(out.name + ".new"), out.with_name(out.name + ".old")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    fresh.mkdir(parents=True)
    write_folder(model, tokenizer_path, fresh)
    figures = {k: v for k, v in row.items() if k != "misses"}
    (fresh / "STATUS.txt").write_text(f"{time.strftime('%H:%M')} {json.dumps(figures)}\n")
    if out.exists():
        os.replace(out, old)
    os.replace(fresh, out)
    shutil.rmtree(old, ignore_errors=True)
