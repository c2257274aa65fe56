"""The GGUF says exactly what PEFT says."""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import numpy
import torch
from gguf import GGUFReader
import lora_gguf
from gguf_names import gguf_name, heads_of, heads_to_permute, unpermute_rows
from job import BadData
from lora_gguf import refuse_unsupported, write_lora_gguf
from peft import LoraConfig, get_peft_model
from tiny import write_model
from transformers import AutoModelForCausalLM


def random_lora(folder: Path, kind: str = "llama", **options):
    """A PEFT model on a random base, with random A and B, saved to `folder`/peft."""
    base = write_model(folder / "model", kind)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **options}
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**settings))
    torch.manual_seed(3)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data.normal_()
    model.save_pretrained(folder / "peft")
    return model


def read(path: Path):
    """(fields, tensors) of a GGUF."""
    reader = GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    return fields, {tensor.name: numpy.array(tensor.data) for tensor in reader.tensors}


def worst_difference(folder: Path, model, permuted: bool = True) -> float:
    """Largest difference between PEFT's added weights and those that llama.cpp would add."""
    config = json.loads((folder / "model" / "config.json").read_text())
    fields, tensors = read(folder / "out.gguf")
    worst, seen = 0.0, 0
    for name, layer in model.base_model.model.named_modules():
        if not hasattr(layer, "lora_A"):
            continue
        weight = f"{name}.weight"
        target = gguf_name(weight, config["num_hidden_layers"], config["model_type"])
        a, b = tensors[f"{target}.lora_a"], tensors[f"{target}.lora_b"]
        heads = heads_to_permute(weight, config)
        b = unpermute_rows(b, heads) if heads and permuted else b
        delta = fields["adapter.lora.alpha"] / b.shape[1] * (b @ a)
        worst = max(worst, float(numpy.abs(delta - layer.get_delta_weight("default").detach().numpy()).max()))
        seen += 1
    assert seen == 14, f"{seen} modules were compared; the model has 14"
    return worst


class LoraGguf(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def convert(self, kind: str = "llama", **options) -> float:
        model = random_lora(self.folder, kind, **options)
        write_lora_gguf(self.folder / "peft", self.folder / "model", self.folder / "out.gguf")
        self.model = model
        return worst_difference(self.folder, model)

    def test_the_added_weights_of_a_llama_are_those_of_peft(self):
        self.assertLess(self.convert(), 1e-5)

    def test_leaving_out_the_permutation_would_be_noticed(self):
        self.convert()
        self.assertGreater(worst_difference(self.folder, self.model, permuted=False), 0.1)

    def test_mistral_is_stored_as_a_llama(self):
        self.assertLess(self.convert("mistral"), 1e-5)
        self.assertEqual(read(self.folder / "out.gguf")[0]["general.architecture"], "llama")

    def test_qwen_and_gemma_are_not_permuted(self):
        for kind in ("qwen2", "qwen3", "gemma2", "gemma3_text"):
            with self.subTest(kind):
                self.assertLess(self.convert(kind), 1e-5)
                self.assertLess(worst_difference(self.folder, self.model, permuted=False), 1e-5)

    def test_permuting_qwen_or_gemma_would_be_noticed(self):
        for kind in ("qwen2", "qwen3", "gemma2", "gemma3_text"):
            with self.subTest(kind), patch.object(lora_gguf, "heads_to_permute", heads_of):
                self.assertGreater(self.convert(kind), 0.1)

    def test_gemma_3_goes_by_its_name_in_llama_cpp(self):
        self.convert("gemma3_text")
        self.assertEqual(read(self.folder / "out.gguf")[0]["general.architecture"], "gemma3")

    def test_rslora_is_folded_in(self):
        for kind in ("llama", "gemma2"):
            with self.subTest(kind):
                self.assertLess(self.convert(kind, use_rslora=True), 1e-5)

    def test_scales_that_are_not_folded_in_would_be_noticed(self):
        for options in ({"use_rslora": True}, {"alpha_pattern": {"q_proj": 32}}):
            with self.subTest(str(options)), patch.object(lora_gguf, "_fold", lambda *_: 1):
                self.assertGreater(self.convert(**options), 0.1)

    def test_alpha_and_rank_patterns_are_folded_in(self):
        patterns = {"alpha_pattern": {"q_proj": 32, "layers.1.mlp.up_proj": 2}, "rank_pattern": {"v_proj": 2}}
        self.assertLess(self.convert(**patterns), 1e-5)

    def test_it_carries_what_llama_cpp_requires(self):
        self.convert()
        fields, tensors = read(self.folder / "out.gguf")
        self.assertEqual(fields["general.type"], "adapter")
        self.assertEqual(fields["adapter.type"], "lora")
        self.assertEqual(fields["general.architecture"], "llama")
        self.assertEqual(fields["adapter.lora.alpha"], 8.0)
        self.assertEqual({name.rsplit(".", 1)[1] for name in tensors}, {"lora_a", "lora_b"})
        self.assertTrue(all(tensor.dtype == numpy.float32 for tensor in tensors.values()))

    def test_the_same_lora_gives_the_same_bytes(self):
        self.convert()
        first = (self.folder / "out.gguf").read_bytes()
        write_lora_gguf(self.folder / "peft", self.folder / "model", self.folder / "again.gguf")
        self.assertEqual(first, (self.folder / "again.gguf").read_bytes())

    def test_what_gguf_cannot_hold_is_refused_with_the_reason(self):
        lora = {"peft_type": "LORA", "lora_alpha": 8, "r": 4, "bias": "none"}
        cases = [
            ({"use_dora": True}, {}, "DoRA"),
            ({"modules_to_save": ["lm_head"]}, {}, "modules_to_save"),
            ({"trainable_token_indices": [1]}, {}, "new tokens"),
            ({"bias": "all"}, {}, "biases"),
            ({"lora_bias": True}, {}, "biases"),
            ({"peft_type": "IA3"}, {}, "IA3"),
            ({}, {"num_local_experts": 8}, "experts"),
            ({}, {"model_type": "gemma3"}, "gemma3"),
        ]
        for extra, base, reason in cases:
            with self.subTest(reason), self.assertRaisesRegex(BadData, reason):
                refuse_unsupported({**lora, **extra}, {"model_type": "llama", **base})

    def test_a_trained_output_layer_is_refused_where_the_embeddings_are_it(self):
        random_lora(self.folder, target_modules=["q_proj", "lm_head"])
        with self.assertRaisesRegex(BadData, "output layer"):
            write_lora_gguf(self.folder / "peft", self.folder / "model", self.folder / "out.gguf")

    def test_a_trained_embedding_is_refused(self):
        random_lora(self.folder, target_modules=["embed_tokens"])
        with self.assertRaisesRegex(BadData, "embed"):
            write_lora_gguf(self.folder / "peft", self.folder / "model", self.folder / "out.gguf")


if __name__ == "__main__":
    unittest.main()
