"""Turns a Hugging Face folder of a Llama, Mistral, Qwen or Gemma model into GGUF.   Run:  python base_gguf.py FOLDER OUT.gguf

Matrices are written as F16, or as `--matrices` says (F32, Q8_0); norms and biases as F32. The tokenizer must be
byte-level BPE with single digits, which llama.cpp calls "smollm": any other would be read as different tokens, so it is
refused.
"""

import argparse
import json
import os
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import quantize
from gguf_names import SUPPORTED, arch_name, gguf_name, heads_to_permute, permute_rows
from safetensors.numpy import load_file

# How matrices can be stored, and what llama.cpp calls such a file.
FILE_TYPES = {"F32": gguf.LlamaFileType.ALL_F32, "F16": gguf.LlamaFileType.MOSTLY_F16, "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}


def read_tokenizer(folder: Path) -> dict:
    """The tokens, their types and the merges of tokenizer.json."""
    data = json.loads((folder / "tokenizer.json").read_text())
    kinds = [part["type"] for part in data["pre_tokenizer"].get("pretokenizers", [])]
    assert kinds == ["Digits", "ByteLevel"], f"only the pre-tokenizer Digits + ByteLevel is supported, found {kinds}"
    tokens = sorted(data["model"]["vocab"], key=data["model"]["vocab"].get)
    special = {token["content"] for token in data["added_tokens"] if token["special"]}
    types = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in data["model"]["merges"]]
    return {"tokens": tokens, "types": types, "merges": merges}


def chat_template(folder: Path) -> str:
    """The chat template, from wherever this version of transformers keeps it."""
    beside = folder / "chat_template.jinja"
    return beside.read_text() if beside.exists() else json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]


def add_config(writer: gguf.GGUFWriter, config: dict, name: str) -> None:
    """The model's sizes."""
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_name(name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(rope_base(config))
    writer.add_vocab_size(config["vocab_size"])
    if config["model_type"] != "llama":
        writer.add_key_length(head)
        writer.add_value_length(head)
    if config["model_type"].startswith("gemma"):
        writer.add_sliding_window(config["sliding_window"])
        # llama.cpp scales scores by the size of a head and knows no other scale for these.
        assert config["query_pre_attn_scalar"] == head, f"query_pre_attn_scalar {config['query_pre_attn_scalar']}, but heads of {head}"
    if config["model_type"] == "gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])


def rope_base(config: dict) -> float:
    """The base of the rotary embedding; of Gemma 3 that of the layers which see everything."""
    parameters = config.get("rope_parameters") or {}
    return float(config.get("rope_theta") or parameters.get("full_attention", parameters).get("rope_theta", 10000.0))


def add_tokenizer(writer: gguf.GGUFWriter, folder: Path, config: dict) -> None:
    """The tokenizer and the chat template."""
    tokenizer = read_tokenizer(folder)
    assert len(tokenizer["tokens"]) == config["vocab_size"], f"{len(tokenizer['tokens'])} tokens, but vocab_size {config['vocab_size']}"
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokenizer["tokens"])
    writer.add_token_types(tokenizer["types"])
    writer.add_token_merges(tokenizer["merges"])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(chat_template(folder))


def add_tensors(writer: gguf.GGUFWriter, folder: Path, config: dict, matrices: str) -> None:
    """The weights, q and k in llama.cpp's row order, Gemma's norms with the 1 that its code adds to them."""
    for hf_name, weight in load_file(folder / "model.safetensors").items():
        weight = as_stored(hf_name, weight, config)
        stored = gguf.GGMLQuantizationType["F32" if weight.ndim == 1 else matrices]
        name = gguf_name(hf_name, config["num_hidden_layers"], config["model_type"])
        writer.add_tensor(name, quantize(np.ascontiguousarray(weight.astype(np.float32)), stored), raw_dtype=stored)


def as_stored(hf_name: str, weight: np.ndarray, config: dict) -> np.ndarray:
    """A weight as llama.cpp wants it: see `add_tensors`."""
    heads = heads_to_permute(hf_name, config)
    weight = weight if heads is None else permute_rows(weight, heads)
    return weight + 1 if config["model_type"].startswith("gemma") and hf_name.endswith("norm.weight") else weight


def convert(folder: Path, out: Path, name: str = "Hone starter", matrices: str = "F16") -> None:
    """Writes `out` whole or not at all; `matrices` is one of `FILE_TYPES`."""
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] in SUPPORTED, f"supported are {', '.join(SUPPORTED)}; found {config['model_type']!r}"
    partial = out.with_suffix(".partial")
    writer = gguf.GGUFWriter(str(partial), arch_name(config["model_type"]))
    writer.add_file_type(FILE_TYPES[matrices])
    add_config(writer, config, name)
    add_tokenizer(writer, folder, config)
    add_tensors(writer, folder, config, matrices)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, out)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--matrices", choices=FILE_TYPES, default="F16")
    args = parser.parse_args(argv)
    convert(args.folder, args.out, matrices=args.matrices)


if __name__ == "__main__":
    main()
