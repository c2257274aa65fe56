"""The starter's weights as a Qwen3, and its chat layout."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import torch
from starter_data import encode_dialogue
from starter_export import write_folder
from starter_family import OPENINGS, load_family
from tokenizers import Tokenizer
from transformers import AutoTokenizer

STARTER = Path(__file__).parents[2] / "starter"
DIALOGUE = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "[1] Time off\nEverybody gets **25 days**.\n\nHow many days?"},
    {"role": "assistant", "content": "25 days. [1]"},
    {"role": "user", "content": "Thanks!"},
    {"role": "assistant", "content": "You are welcome."},
]


class Family(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.llama = load_family(STARTER, "llama", None)
        ids, _ = encode_dialogue(Tokenizer.from_file(str(STARTER / "tokenizer.json")), DIALOGUE)
        cls.sample = torch.tensor([ids])
        cls.qwen = load_family(STARTER, "qwen3", cls.sample)

    def test_a_qwen3_has_the_starters_matrices_and_norms_as_large_as_its_queries(self):
        state = self.qwen.state_dict()
        self.assertTrue(all(torch.equal(weight, state[name]) for name, weight in self.llama.state_dict().items()))
        added = {name: weight for name, weight in state.items() if name.endswith(("q_norm.weight", "k_norm.weight"))}
        self.assertEqual(len(added), 2 * 5)
        self.assertTrue(all(weight.min() == weight.max() > 1.2 for weight in added.values()))

    @torch.no_grad()
    def test_it_still_reads_about_as_the_starter_does(self):
        loss = {name: model(self.sample, labels=self.sample).loss.item() for name, model in (("llama", self.llama), ("qwen3", self.qwen))}
        for layer in self.qwen.model.layers:
            layer.self_attn.q_norm.weight.fill_(1), layer.self_attn.k_norm.weight.fill_(1)
        blunt = self.qwen(self.sample, labels=self.sample).loss.item()
        self.assertLess(abs(loss["qwen3"] - loss["llama"]), abs(blunt - loss["llama"]))

    def test_each_family_is_served_the_tokens_that_it_was_trained_on(self):
        for family, model in (("llama", self.llama), ("qwen3", self.qwen)):
            with self.subTest(family), tempfile.TemporaryDirectory() as folder:
                write_folder(model, STARTER / "tokenizer.json", Path(folder))
                tokenizer = AutoTokenizer.from_pretrained(folder)
                ids, _ = encode_dialogue(Tokenizer.from_file(str(STARTER / "tokenizer.json")), DIALOGUE, OPENINGS[family])
                rendered = tokenizer.apply_chat_template(DIALOGUE, tokenize=True, return_dict=True)["input_ids"]
                self.assertEqual(rendered, ids)
                asked = tokenizer.apply_chat_template(DIALOGUE[:-1], tokenize=True, return_dict=True, add_generation_prompt=True)["input_ids"]
                self.assertEqual(asked, ids[: len(asked)])
                self.assertEqual("<think>" in tokenizer.decode(asked), family == "qwen3")


if __name__ == "__main__":
    unittest.main()
