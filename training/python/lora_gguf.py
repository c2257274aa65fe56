"""Writes a PEFT LoRA as the GGUF that llama.cpp loads.   Run:  python lora_gguf.py PEFT_FOLDER BASE_FOLDER OUT.gguf

A GGUF LoRA knows one alpha; llama.cpp scales each tensor pair by alpha / rank. Whatever else PEFT can say about the
scale (rsLoRA, alpha_pattern, rank_pattern) is folded into B, so that the weights added are the same to the last bit
of float32. What the format cannot hold (DoRA, trained embeddings or biases, experts) is refused, never dropped.

Format: https://github.com/ggml-org/llama.cpp, src/llama-adapter.cpp.
"""

import json
import math
import re
import sys
from pathlib import Path

from gguf_names import SUPPORTED, arch_name, gguf_name, heads_to_permute, permute_rows
from job import BadData

_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


def write_lora_gguf(peft: Path, base: Path, out: Path) -> None:
    """Converts the LoRA in folder `peft`, made on the model in folder `base`, to the file `out` (float32).

    Raises `BadData` for a LoRA that llama.cpp could not apply exactly.
    """
    import gguf

    lora = json.loads((peft / "adapter_config.json").read_text(encoding="utf-8"))
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    refuse_unsupported(lora, config)
    writer = gguf.GGUFWriter(out, arch_name(config["model_type"]))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(lora["lora_alpha"]))
    for name, tensor in gguf_tensors(_read_tensors(peft), lora, config):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_tensors(tensors: dict, lora: dict, config: dict) -> list[tuple]:
    """(GGUF name, numpy array) of every A and B, sorted by name; `tensors` are PEFT's, as float32 numpy arrays."""
    layers = config["num_hidden_layers"]
    tied = config.get("tie_word_embeddings", config["model_type"].startswith("gemma"))
    if tied and any(".lm_head." in key for key in tensors):
        raise BadData("The LoRA trains the output layer, which this model shares with its embeddings: llama.cpp has no tensor for it.")
    out = []
    for key in sorted(tensors):
        match = _KEY.fullmatch(key)
        if not match:
            raise BadData(f"The LoRA holds {key!r}, which llama.cpp cannot apply.")
        module, side, value = match["module"], match["side"], tensors[key]
        weight = f"{module}.weight"
        if side == "B":
            value = value * _fold(module, value.shape[1], lora)
            heads = heads_to_permute(weight, config)
            value = permute_rows(value, heads) if heads else value
        out.append((f"{gguf_name(weight, layers, config['model_type'])}.lora_{side.lower()}", _float32(value)))
    return sorted(out)


def refuse_unsupported(lora: dict, config: dict) -> None:
    """Raises `BadData` when the LoRA or its base is of a kind that GGUF cannot hold exactly."""
    kind = config.get("model_type")
    experts = max(config.get(key) or 0 for key in ("num_local_experts", "num_experts", "n_routed_experts"))
    reasons = {
        f"its base is of type {kind!r}; supported are {', '.join(SUPPORTED)}": kind not in SUPPORTED,
        "its base is a mixture of experts": experts > 1,
        f"it is of type {lora.get('peft_type')!r}, not LORA": lora.get("peft_type") != "LORA",
        "it uses DoRA": lora.get("use_dora"),
        "it trains whole modules (modules_to_save)": lora.get("modules_to_save"),
        "it trains new tokens (trainable_token_indices)": lora.get("trainable_token_indices"),
        "it trains single parameters (target_parameters)": lora.get("target_parameters"),
        "it trains biases": lora.get("bias", "none") != "none" or lora.get("lora_bias"),
        "it stores its weights transposed (fan_in_fan_out)": lora.get("fan_in_fan_out"),
    }
    for reason, holds in reasons.items():
        if holds:
            raise BadData(f"The LoRA cannot be written as GGUF: {reason}.")


def scaling(module: str, rank: int, lora: dict) -> float:
    """What PEFT multiplies B·A by for `module`."""
    alpha = _pattern(lora.get("alpha_pattern"), module, lora["lora_alpha"])
    return alpha / (math.sqrt(rank) if lora.get("use_rslora") else rank)


def _fold(module: str, rank: int, lora: dict) -> float:
    """What B is multiplied by so that llama.cpp's alpha / rank comes to PEFT's scale. 1 for a plain LoRA."""
    return scaling(module, rank, lora) * rank / lora["lora_alpha"]


def _pattern(patterns: dict | None, module: str, fallback):
    """PEFT's rule: the first pattern that matches the end of the module's name from a dot on."""
    for pattern, value in (patterns or {}).items():
        if re.fullmatch(rf"(.*\.)?({pattern})", module):
            return value
    return fallback


def _read_tensors(peft: Path) -> dict:
    from safetensors.torch import load_file

    return {key: tensor.float().numpy() for key, tensor in load_file(peft / "adapter_model.safetensors").items()}


def _float32(value):
    import numpy

    return numpy.ascontiguousarray(value, dtype=numpy.float32)


if __name__ == "__main__":
    try:
        write_lora_gguf(*map(Path, sys.argv[1:4]))
    except BadData as error:
        sys.exit(str(error))
