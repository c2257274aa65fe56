"""Real runs on a random model of two layers: seconds each, nothing replaced."""

import hashlib
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(HERE)]

from safetensors.torch import load_file
from tiny import run_job, write_job, write_model


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Train(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_model(self.folder / "model")

    def write_job(self, method: str = "dpo", output: str = "out", **hyper) -> Path:
        return write_job(self.folder, method, output, **hyper)

    def test_a_dpo_run_moves_the_lora_and_not_the_base_and_repeats_to_the_byte(self):
        before = digest(self.folder / "model" / "model.safetensors")
        code, events = run_job(self.write_job(output="a", epochs=2))
        self.assertEqual(code, 0, events)
        self.assertEqual(digest(self.folder / "model" / "model.safetensors"), before)
        done = events[-1]
        self.assertEqual(done["sha256"], digest(Path(done["gguf"])))
        moved = [k for k, v in load_file(Path(done["peft"]) / "adapter_model.safetensors").items() if "lora_B" in k and v.abs().max() > 0]
        self.assertEqual(len(moved), 14)
        steps = [event for event in events if event["type"] == "step"]
        self.assertEqual([event["step"] for event in steps], [1, 2, 3, 4])
        self.assertLessEqual({"loss", "margin", "accuracy", "tokensPerSecond", "etaSeconds", "of"}, set(steps[0]))
        self.assertFalse(any(self.folder.glob("a.*/")), "working folders are left")
        code, again = run_job(self.write_job(output="b", epochs=2))
        self.assertEqual(done["sha256"], again[-1]["sha256"])
        self.assertEqual(digest(self.folder / "a/peft/adapter_model.safetensors"), digest(self.folder / "b/peft/adapter_model.safetensors"))

    def test_a_stopped_run_leaves_no_lora_and_goes_on_to_the_very_same_one(self):
        whole = run_job(self.write_job(output="a", epochs=8))[1][-1]
        path = self.write_job(output="b", epochs=8)
        code, events = run_job(path, stop_at=3)
        self.assertEqual((code, events[-1]["code"]), (6, "CANCELLED"))
        self.assertFalse((self.folder / "b").exists())
        code, events = run_job(path)
        self.assertEqual(code, 0, events)
        self.assertGreater(next(event["step"] for event in events if event["type"] == "step"), 3)
        self.assertEqual(events[-1]["sha256"], whole["sha256"])

    def test_the_other_methods_run_too(self):
        for method in ("sft", "kto", "explain"):
            with self.subTest(method):
                code, events = run_job(self.write_job(method, output=method))
                self.assertEqual((code, events[-1]["type"]), (0, "done"), events)

    def test_a_rate_that_diverges_publishes_nothing(self):
        code, events = run_job(self.write_job(learningRate=1e30, epochs=3))
        self.assertEqual((code, events[-1]["code"]), (2, "BAD_DATA"))
        self.assertRegex(events[-1]["message"], "diverged")
        self.assertFalse((self.folder / "out").exists())


class Classify(unittest.TestCase):
    def test_every_kind_of_failure_has_its_code(self):
        import train
        from job import BadData, BadEnvironment, Cancelled

        cases = [
            (BadData("x"), "BAD_DATA"),
            (BadEnvironment("x"), "ENVIRONMENT"),
            (OSError(28, "No space left on device"), "ENVIRONMENT"),
            (MemoryError(), "OUT_OF_MEMORY"),
            (RuntimeError("CUDA out of memory. Tried"), "OUT_OF_MEMORY"),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "OUT_OF_MEMORY"),
            (Cancelled("x"), "CANCELLED"),
            (ValueError("x"), "INTERNAL"),
        ]
        for error, code in cases:
            with self.subTest(code):
                self.assertEqual(train.classify(error)[0], code)

    def test_the_labels_of_kto_are_mixed_evenly(self):
        from kto import mixed

        rows = [{"label": index < 4, "n": index} for index in range(12)]
        order = [row["label"] for row in mixed(rows, 1)]
        self.assertEqual([sum(order[at : at + 3]) for at in range(0, 12, 3)], [1, 1, 1, 1])
        self.assertEqual(mixed(rows, 1), mixed(rows, 1))


if __name__ == "__main__":
    unittest.main()
