"""The converter: what is read back from the GGUF file is the model that went in."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from base_gguf import convert
from gguf import GGUFReader
from gguf_names import gguf_name, heads_to_permute, permute_rows, unpermute_rows
from safetensors.numpy import load_file
from starter_data import END, PAD, START
from starter_export import template_of, write_folder
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM


def tiny_folder(folder: Path) -> None:
    """A random model with grouped heads, so that q and k differ, and a small tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=[PAD, START, END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(["How many days of vacation do I get? You get 25 days. The days are many."] * 9, trainer)
    tokenizer.save(str(folder / "tok.json"))
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=64, num_hidden_layers=2, intermediate_size=96, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=True, pad_token_id=0, bos_token_id=1, eos_token_id=2)
    (folder / "hf").mkdir()
    write_folder(LlamaForCausalLM(config), folder / "tok.json", folder / "hf")


class Converter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        folder = Path(cls.temporary.name)
        tiny_folder(folder)
        cls.folder = folder / "hf"
        cls.reader = GGUFReader(cls.folder / "starter.gguf")
        cls.config = json.loads((cls.folder / "config.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def field(self, name: str):
        return self.reader.fields[name].contents()

    def test_every_tensor_comes_back_equal(self):
        stored = {t.name: t.data for t in self.reader.tensors}
        weights = load_file(self.folder / "model.safetensors")
        self.assertEqual(len(stored), len(weights))
        for name, weight in weights.items():
            back, heads = stored[gguf_name(name, 2)], heads_to_permute(name, self.config)
            back = back if heads is None else unpermute_rows(back, heads)
            np.testing.assert_array_equal(back.astype(np.float16), weight, err_msg=name)
            self.assertEqual(back.dtype, np.float32 if weight.ndim == 1 else np.float16, name)

    def test_q_and_k_are_permuted_by_their_own_heads(self):
        self.assertEqual(heads_to_permute("model.layers.0.self_attn.q_proj.weight", self.config), 4)
        self.assertEqual(heads_to_permute("model.layers.0.self_attn.k_proj.weight", self.config), 2)
        self.assertIsNone(heads_to_permute("model.layers.0.self_attn.v_proj.weight", self.config))
        self.assertIsNone(heads_to_permute("model.layers.0.self_attn.q_proj.weight", {**self.config, "model_type": "qwen2"}))

    def test_permuting_puts_the_halves_of_a_head_side_by_side(self):
        rows = np.arange(8)
        np.testing.assert_array_equal(permute_rows(rows, 2), [0, 2, 1, 3, 4, 6, 5, 7])
        np.testing.assert_array_equal(unpermute_rows(permute_rows(rows, 2), 2), rows)

    def test_the_tokenizer_says_how_to_split(self):
        self.assertEqual((self.field("tokenizer.ggml.model"), self.field("tokenizer.ggml.pre")), ("gpt2", "smollm"))
        self.assertEqual(self.field("tokenizer.ggml.tokens")[:3], [PAD, START, END])
        self.assertEqual(self.field("tokenizer.ggml.token_type")[:4], [3, 3, 3, 1])
        self.assertEqual((self.field("tokenizer.ggml.eos_token_id"), self.field("tokenizer.ggml.padding_token_id")), (2, 0))
        self.assertFalse(self.field("tokenizer.ggml.add_bos_token"))
        self.assertEqual(self.field("tokenizer.chat_template"), template_of(""))

    def test_another_pre_tokenizer_is_refused(self):
        data = json.loads((self.folder / "tokenizer.json").read_text())
        data["pre_tokenizer"] = {"type": "Whitespace"}
        (self.folder / "tokenizer.json").rename(self.folder / "kept.json")
        (self.folder / "tokenizer.json").write_text(json.dumps(data))
        with self.assertRaisesRegex(AssertionError, "pre-tokenizer"):
            convert(self.folder, self.folder / "other.gguf")
        (self.folder / "kept.json").replace(self.folder / "tokenizer.json")

    def test_the_vocabulary_must_fit_the_model(self):
        self.assertEqual(self.config["vocab_size"], len(self.field("tokenizer.ggml.tokens")))
        self.assertEqual(self.field("llama.vocab_size"), self.config["vocab_size"])


if __name__ == "__main__":
    unittest.main()
