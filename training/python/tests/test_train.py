"""Real runs on a random model of two layers: seconds each, nothing replaced."""

import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).parent.parent
SHARDS = Path(__file__).parent / "cpu_shards"
sys.path[:0] = [str(Path(__file__).parent), str(HERE)]

from gguf import GGUFReader
from gguf_names import gguf_name
from safetensors.torch import load_file
from tiny import ask, run_job, say, write_base, write_job, write_lines, write_model


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def workers(launcher: int) -> dict[int, int]:
    """Process ids by rank of what a launcher started."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            environment = (path / "environ").read_bytes().split(b"\0") if parent == launcher else []
        except OSError:
            continue
        found |= {int(entry[5:]): int(path.name) for entry in environment if entry.startswith(b"RANK=")}
    return found


def runs(pid: int) -> bool:
    """True unless the process has ended; one that nobody has asked about yet has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


class Train(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_model(self.folder / "model")

    def write_job(self, method: str = "dpo", output: str = "out", **more) -> Path:
        return write_job(self.folder, method, output, **more)

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

    def test_every_method_goes_on_after_a_kill_from_its_last_checkpoint_to_the_very_same_result(self):
        write_base(self.folder)
        for method in ("dpo", "sft", "kto", "explain", "full", "soft-prompt"):
            with self.subTest(method):
                code, events = run_job(self.write_job(method, output=f"{method}-whole", epochs=4))
                self.assertEqual((code, events[-1]["type"]), (0, "done"), events)
                path = self.write_job(method, f"{method}-killed", epochs=4, more={"checkpointSeconds": 0})
                self.assertEqual(run_job(path, stop_at=4, by=signal.SIGKILL)[0], -signal.SIGKILL)
                code, again = run_job(path)
                self.assertEqual(code, 0, again)
                self.assertGreater(next(event["step"] for event in again if event["type"] == "step"), 2)
                self.assertEqual(again[-1]["sha256"], events[-1]["sha256"])

    def test_small_micro_batches_and_recomputed_activations_learn_the_same(self):
        def weights(output: str, **fit):
            more = {"fit": {"microBatch": 4, "checkpointing": False, **fit}}
            code, events = run_job(self.write_job(output=output, epochs=4, more=more))
            self.assertEqual(code, 0, events)
            return load_file(Path(events[-1]["peft"]) / "adapter_model.safetensors")

        whole, small, thrifty = weights("a"), weights("b", microBatch=1), weights("c", checkpointing=True)
        for name, weight in whole.items():
            self.assertLess(float((weight - small[name]).abs().max()), 1e-3, name)
            self.assertLess(float((weight - thrifty[name]).abs().max()), 1e-5, name)

    def test_a_lora_on_the_feed_forward_layers_leaves_attention_as_it_was(self):
        code, events = run_job(self.write_job("sft", targets="mlp"))
        self.assertEqual(code, 0, events)
        names = list(load_file(Path(events[-1]["peft"]) / "adapter_model.safetensors"))
        self.assertEqual(len(names), 2 * 2 * 3)
        self.assertTrue(all(".mlp." in name for name in names), names)

    def test_two_processes_learn_what_one_does(self):
        def steps(events):
            return [event["loss"] for event in events if event["type"] == "step"]

        two = {"fit": {"microBatch": 2, "checkpointing": False, "processes": 2}}
        code, alone = run_job(self.write_job(output="one", epochs=3, more={"fit": {"microBatch": 2, "checkpointing": False}}))
        self.assertEqual(code, 0, alone)
        code, events = run_job(self.write_job(output="two", epochs=3, more=two))
        self.assertEqual(code, 0, events)
        self.assertEqual([event["type"] for event in events], [event["type"] for event in alone])
        for ours, theirs in zip(steps(events), steps(alone), strict=True):
            self.assertAlmostEqual(ours, theirs, delta=1e-4)
        ours, theirs = (load_file(Path(run[-1]["peft"]) / "adapter_model.safetensors") for run in (events, alone))
        for name, weight in theirs.items():
            self.assertLess(float((weight - ours[name]).abs().max()), 1e-3, name)

    @unittest.skipUnless(sys.platform == "linux", "processes are found in /proc")
    def test_two_processes_end_as_one_and_go_on_from_their_checkpoint(self):
        fit = {"microBatch": 2, "checkpointing": False, "processes": 2}
        path = self.write_job(epochs=10_000, more={"fit": fit, "checkpointSeconds": 0})
        code, told = run_job(path, stop_at=3, by=lambda child: os.kill(workers(child.pid)[1], signal.SIGKILL))
        self.assertEqual((code, told[-1]["code"]), (4, "OUT_OF_MEMORY"), told)
        self.assertRegex(told[-1]["message"], "Process 1 of the run was killed")
        code, told = run_job(path, stop_at=1)
        self.assertEqual((code, told[-1]["code"]), (6, "CANCELLED"), told)
        self.assertGreater(next(event["step"] for event in told if event["type"] == "step"), 1)
        left = []
        run_job(path, stop_at=1, by=lambda child: (left.extend(workers(child.pid).values()), child.kill()))
        self.assertEqual(len(left), 2)
        while any(runs(pid) for pid in left):
            time.sleep(0.05)

    def test_weights_that_are_spread_over_two_processes_learn_what_copies_of_them_do(self):
        write_base(self.folder)
        fit = {"microBatch": 2, "checkpointing": False, "processes": 2}
        for method, name, file in (("dpo", "peft", "adapter_model.safetensors"), ("full", "model", "model.safetensors")):
            with self.subTest(method):
                code, copies = run_job(self.write_job(method, f"{method}-copies", epochs=3, more={"fit": fit}))
                self.assertEqual(code, 0, copies)
                more = {"fit": {**fit, "sharded": True}, "checkpointSeconds": 0}
                path = self.write_job(method, f"{method}-shards", epochs=3, more=more)
                code, told = run_job(path, stop_at=3, modules=SHARDS)
                self.assertEqual((code, told[-1]["code"]), (6, "CANCELLED"), told)
                self.assertTrue(any(self.folder.glob(f"{method}-shards.work/**/pytorch_model_fsdp_0")), "nothing was spread")
                code, rest = run_job(path, modules=SHARDS)
                self.assertEqual(code, 0, rest)
                ours, theirs = ({event["step"]: event["loss"] for event in events if event["type"] == "step"} for events in (told + rest, copies))
                self.assertEqual(list(ours), list(theirs))
                for step, loss in theirs.items():
                    self.assertAlmostEqual(ours[step], loss, delta=1e-4)
                ours, theirs = (load_file(Path(events[-1][name]) / file) for events in (rest, copies))
                self.assertEqual(set(ours), set(theirs))
                for key, weight in theirs.items():
                    self.assertLess(float((weight - ours[key]).abs().max()), 1e-4, key)

    def test_full_fine_tuning_moves_every_weight_and_leaves_a_model_that_reads_as_the_base_does(self):
        write_base(self.folder)
        code, events = run_job(self.write_job("full"))
        self.assertEqual(code, 0, events)
        done = events[-1]
        self.assertEqual(done["sha256"], digest(Path(done["gguf"])))
        base, made = (load_file(folder / "model.safetensors") for folder in (self.folder / "model", Path(done["model"])))
        self.assertEqual([name for name in base if bool((base[name] == made[name]).all())], [])
        ours, theirs = GGUFReader(done["gguf"]), GGUFReader(self.folder / "base.gguf")
        for name, field in theirs.fields.items():
            self.assertEqual(ours.fields[name].contents(), field.contents(), name)
        stored = {tensor.name: tensor.data for tensor in ours.tensors}
        for name in ("model.embed_tokens.weight", "model.layers.1.mlp.up_proj.weight", "model.layers.0.input_layernorm.weight"):
            self.assertTrue((stored[gguf_name(name, 2)] == made[name].numpy()).all(), name)

    def test_full_fine_tuning_refuses_the_gguf_of_another_model_and_leaves_nothing(self):
        write_base(self.folder)
        other = write_model(self.folder / "other" / "model", "qwen3").parent
        write_base(other)
        code, events = run_job(self.write_job("full", more={"gguf": str(other / "base.gguf")}))
        self.assertEqual((code, events[-1]["code"]), (2, "BAD_DATA"))
        self.assertRegex(events[-1]["message"], "not the same model")
        self.assertFalse((self.folder / "out").exists())

    def test_dpo_that_reckons_with_wrong_votes_begins_at_the_same_loss_and_learns_something_else(self):
        code, plain = run_job(self.write_job(output="plain", epochs=2))
        self.assertEqual(code, 0, plain)
        code, robust = run_job(self.write_job(output="robust", epochs=2, labelSmoothing=0.2))
        self.assertEqual(code, 0, robust)
        loss = [[event["loss"] for event in events if event["type"] == "step"] for events in (plain, robust)]
        # With a fresh LoRA both sides are as likely as the reference finds them: log 2 whichever way round a pair is.
        self.assertAlmostEqual(loss[0][0], loss[1][0], places=3)
        self.assertNotEqual(plain[-1]["sha256"], robust[-1]["sha256"])

    def test_of_half_the_strength_the_same_lora_is_published_with_half_the_alpha(self):
        made = {}
        for strength in (1, 0.5):
            code, events = run_job(self.write_job(output=f"at-{strength}", strength=strength))
            self.assertEqual(code, 0, events)
            folder = self.folder / f"at-{strength}"
            reader = GGUFReader(folder / "lora.gguf")
            config = json.loads((folder / "peft" / "adapter_config.json").read_text())
            made[strength] = (reader, float(reader.fields["adapter.lora.alpha"].parts[-1][0]), config["lora_alpha"])
        (whole, alpha, told), (half, less, said) = made[1], made[0.5]
        self.assertEqual((less, said), (alpha / 2, told / 2))
        for one, other in zip(whole.tensors, half.tensors, strict=True):
            self.assertTrue((one.data == other.data).all(), one.name)

    def test_replay_that_says_what_not_to_answer_is_rows_of_the_methods_that_learn_from_two_sides(self):
        # Of eight rows and three of replay: four more pairs; none; what SFT reads anyway; six steps of the reward model on those pairs and ten prompts.
        for method, of in (("dpo", 6), ("kto", 4), ("sft", 6), ("rl", 16)):
            with self.subTest(method):
                path = self.write_job(method, batchSize=2)
                unknown = [{"prompt": ask(f"And {n}?"), "completion": say("I don't know."), "rejected": say("yes")} for n in (9, 10)]
                write_lines(self.folder / "data" / "replay.jsonl", [{"prompt": ask("Hi?"), "completion": say("Hi.")}, *unknown])
                code, events = run_job(path)
                self.assertEqual(code, 0, events)
                steps = next(event["of"] for event in events if event["type"] == "step")
                self.assertEqual(steps, of)

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

    def test_refusing_is_better_as_often_as_it_is_worse(self):
        from replay import both_ways

        unsure = say("I don't know.")
        rows = [{"prompt": ask(f"{n}"), "chosen": say("yes"), "rejected": say("no")} for n in range(5)]
        refusals = [{"prompt": ask(f"{n}?"), "chosen": unsure, "rejected": say("yes")} for n in range(2)]
        worse = [{"prompt": ask(n), "chosen": say("yes"), "rejected": unsure} for n in ("0", "2")]
        self.assertEqual(both_ways(rows, refusals), [*refusals, *worse])
        self.assertEqual(both_ways(rows[:1], refusals), [*refusals, worse[0], worse[0]])
        self.assertEqual(both_ways(rows, []), [])
        honest = [{"prompt": ask("0"), "chosen": unsure, "rejected": say("no")}]
        self.assertEqual(both_ways(honest, refusals), refusals)

    def test_the_labels_of_kto_are_mixed_evenly(self):
        from kto import mixed

        rows = [{"label": index < 4, "n": index} for index in range(12)]
        order = [row["label"] for row in mixed(rows, 1)]
        self.assertEqual([sum(order[at : at + 3]) for at in range(0, 12, 3)], [1, 1, 1, 1])
        self.assertEqual(mixed(rows, 1), mixed(rows, 1))


if __name__ == "__main__":
    unittest.main()
