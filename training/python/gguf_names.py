"""How Hugging Face tensors are called, and laid out, in a GGUF file.

Used by the two converters: `base_gguf.py` (a whole model) and `lora_gguf.py` (a LoRA). Both must agree on names
and on the row order of the q and k projections, or a LoRA would be added to the wrong rows without any error.
"""

from functools import lru_cache

import gguf

# Architectures checked against llama.cpp. Another one may store fused or reordered tensors: ask before adding it.
SUPPORTED = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text")

# Architectures whose q/k rows llama.cpp stores pairwise interleaved (its "norm" RoPE). Others keep Hugging Face's
# half-split order ("neox" RoPE) and must not be permuted.
INTERLEAVED = {"llama"}

# Hugging Face's `model_type` where it differs from llama.cpp's architecture name.
ALIASES = {"mistral": "llama", "gemma3_text": "gemma3"}


def arch_name(model_type: str) -> str:
    """llama.cpp's architecture name for a Hugging Face `model_type`: "mistral" is "llama"."""
    return ALIASES.get(model_type, model_type)


@lru_cache(maxsize=None)
def _name_map(arch: str, n_layers: int) -> gguf.TensorNameMap:
    known = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    assert arch in known, f"the gguf library knows no architecture named {arch!r}"
    return gguf.get_tensor_name_map(known[arch], n_layers)


def gguf_name(hf_name: str, n_layers: int, arch: str = "llama") -> str:
    """The GGUF name of a Hugging Face tensor, suffix kept.

    >>> gguf_name("model.layers.3.self_attn.q_proj.weight", 5)
    'blk.3.attn_q.weight'
    """
    name = _name_map(arch_name(arch), n_layers).get_name(hf_name, try_suffixes=(".weight", ".bias"))
    assert name is not None, f"no GGUF name for {hf_name!r} in {arch!r}"
    return name


def permute_rows(weight, n_head: int):
    """Reorders the output rows of a q or k projection from half-split to interleaved RoPE order.

    Takes a numpy array or a torch tensor of shape (out, in), or (out,) for a bias. Of a LoRA only the B matrix
    (out, r) is permuted. `unpermute_rows` is the inverse.
    """
    head = weight.shape[0] // n_head
    return weight.reshape(n_head, 2, head // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def unpermute_rows(weight, n_head: int):
    """The inverse of `permute_rows`: GGUF order back to Hugging Face order."""
    head = weight.shape[0] // n_head
    return weight.reshape(n_head, head // 2, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def heads_to_permute(hf_name: str, config: dict) -> int | None:
    """The `n_head` to give `permute_rows` for this tensor, or None when its rows stay as they are.

    `config` is the model's config.json. A k projection is permuted by its own, often smaller, head count.
    """
    return heads_of(hf_name, config) if arch_name(config["model_type"]) in INTERLEAVED else None


def heads_of(hf_name: str, config: dict) -> int | None:
    """How many heads the rows of a q or k projection are for; None for any other tensor."""
    if ".q_proj." in hf_name:
        return config["num_attention_heads"]
    if ".k_proj." in hf_name:
        return config.get("num_key_value_heads") or config["num_attention_heads"]
    return None
