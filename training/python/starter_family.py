"""The starter's weights in another family's architecture, to go on training from.

Qwen3 is Llama but for norms on each head's queries and keys. They take away how long a query is, and with it how sharply
each head looks: the norms begin at the starter's mean lengths, so that training has little to mend.
"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

# What stands before each reply in the family's chat layout. Qwen3 marks a reply without reasoning by an empty block; one
# newline after it, since this tokenizer cuts two of them otherwise where a reply follows.
OPENINGS = {"llama": "", "qwen3": "<think>\n\n</think>\n"}


def load_family(folder: Path, family: str, sample: torch.Tensor):
    """The model in `folder`, made one of `family` if it isn't; `sample` are token ids (batch, length) to measure queries and keys on."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model if model.config.model_type == family else as_qwen3(model, sample)


@torch.no_grad()
def as_qwen3(llama: LlamaForCausalLM, sample: torch.Tensor) -> Qwen3ForCausalLM:
    """A Qwen3 with the matrices of a Llama, and norms as large as its queries and keys are on `sample`."""
    known = llama.config.to_dict()
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
            "max_position_embeddings", "rms_norm_eps", "pad_token_id", "bos_token_id", "eos_token_id", "tie_word_embeddings", "rope_parameters")
    model = Qwen3ForCausalLM(Qwen3Config(**{key: known[key] for key in kept}))
    model.load_state_dict(llama.state_dict(), strict=False)
    for layer, lengths in zip(model.model.layers, lengths_of(llama, sample), strict=True):
        layer.self_attn.q_norm.weight.fill_(lengths["q_proj"])
        layer.self_attn.k_norm.weight.fill_(lengths["k_proj"])
    return model


def lengths_of(llama: LlamaForCausalLM, sample: torch.Tensor) -> list[dict[str, float]]:
    """The root mean square of each layer's queries and keys."""
    found = [{} for _ in llama.model.layers]

    def note(layer: int, name: str):
        return lambda _module, _inputs, out: found[layer].update({name: out.square().mean().sqrt().item()})

    hooks = [getattr(layer.self_attn, name).register_forward_hook(note(n, name)) for n, layer in enumerate(llama.model.layers) for name in ("q_proj", "k_proj")]
    llama(input_ids=sample, use_cache=False)
    for hook in hooks:
        hook.remove()
    return found
