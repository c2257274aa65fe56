"""A real soft prompt on a random model of two layers: trained, written, and loaded by PEFT."""

import hashlib
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(HERE)]

from safetensors.torch import load_file
from tiny import ask, run_job, say, write_job, write_model


class SoftPrompt(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_model(self.folder / "model")

    def test_trains_virtual_tokens_alone_which_peft_loads_and_which_make_liked_replies_likelier(self):
        base = (self.folder / "model" / "model.safetensors").read_bytes()
        code, events = run_job(write_job(self.folder, "soft-prompt", "out", epochs=20, learningRate=0.05))
        self.assertEqual(code, 0, events)
        self.assertEqual((self.folder / "model" / "model.safetensors").read_bytes(), base)
        done = events[-1]
        self.assertNotIn("gguf", done)
        weights = Path(done["peft"]) / "adapter_model.safetensors"
        self.assertEqual(done["sha256"], hashlib.sha256(weights.read_bytes()).hexdigest())
        self.assertEqual([(name, tuple(tensor.shape)) for name, tensor in load_file(weights).items()], [("prompt_embeddings", (4, 32))])
        losses = [event["loss"] for event in events if event["type"] == "step"]
        self.assertLess(sum(losses[-5:]), sum(losses[:5]))
        self.assertGreater(self.likelihood(done["peft"]), self.likelihood(None))

    def test_begins_as_the_words_of_the_system_message(self):
        from soft_prompt import FALLBACK, beginning

        rows = [{"prompt": ask("A?")}, {"prompt": [{"role": "user", "content": "B?"}]}]
        self.assertEqual(beginning(rows), "Be brief.")
        self.assertEqual(beginning(rows[1:]), FALLBACK)

    def likelihood(self, peft: str | None) -> float:
        """Log-likelihood of a liked reply, with the soft prompt or without."""
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.folder / "model")
        model = AutoModelForCausalLM.from_pretrained(self.folder / "model")
        if peft:
            model = PeftModel.from_pretrained(model, peft)
        texts = [tokenizer.apply_chat_template(messages, tokenize=False) for messages in (ask("Is 3 fine?"), ask("Is 3 fine?") + say("yes"))]
        prompt, whole = (tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"] for text in texts)
        labels = whole.clone()
        labels[:, : prompt.shape[1]] = -100
        with torch.no_grad():
            return -float(model(input_ids=whole, attention_mask=torch.ones_like(whole), labels=labels).loss)


if __name__ == "__main__":
    unittest.main()
