"""What pairs share is read once, and nothing else changes."""

import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(HERE)]

import torch
from job import read_job, read_rows
from pairs import joined
from tiny import ask, say, write_job, write_lines, write_model


class Pairs(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def losses(self, kind: str, shared: bool, rows: list[dict], **hyper) -> tuple[list[float], list[int]]:
        """Loss, margin and likelihoods of each step of our own DPO, and the shape of what the model was given."""
        import common
        import dpo
        import pairs
        from trl import DPOTrainer

        write_model(self.folder / "model", kind)
        job = read_job(write_job(self.folder, "dpo", "out", epochs=2, **hyper))
        write_lines(self.folder / "data" / "train.jsonl", rows)
        trainer_class = pairs.PairTrainer if shared else DPOTrainer
        work = self.folder / f"{kind}-{shared}"
        dpo.PairTrainer = trainer_class
        self.addCleanup(setattr, dpo, "PairTrainer", pairs.PairTrainer)
        read = read_rows(job.dataset / "train.jsonl", dpo.NEEDS)
        trainer = dpo.build(job, common.load_base(job), read, [], work, common.Progress(60))
        seen = []
        backbone = trainer.model.get_base_model().base_model
        run = backbone.forward
        backbone.forward = lambda *given, **named: (seen.append(named["input_ids"].numel()), run(*given, **named))[1]
        trainer.train()
        logged = ("loss", "rewards/margins", "logps/chosen", "logps/rejected", "entropy", "grad_norm", "mean_token_accuracy")
        return [[entry[name] for name in logged] for entry in trainer.state.log_history if "loss" in entry], seen

    def test_losses_and_gradients_are_those_of_trl_with_fewer_tokens(self):
        # Replies of several lengths that begin alike, so that more than the prompt is shared.
        rows = [
            {"prompt": ask(f"Is {'very ' * (n % 3)}{n} fine?"), "chosen": say(f"yes{n * 'a'}"), "rejected": say(f"yes{(9 - n) * 'b'}")}
            for n in range(8)
        ]
        for kind, smoothing in (("llama", 0), ("gemma3_text", 0.2)):
            with self.subTest(kind, smoothing=smoothing):
                ours, fewer = self.losses(kind, True, rows, labelSmoothing=smoothing)
                theirs, all_tokens = self.losses(kind, False, rows, labelSmoothing=smoothing)
                self.assertEqual(len(ours), 4)
                for step, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
                    for a, b in zip(mine, other, strict=True):
                        self.assertAlmostEqual(a, b, delta=1e-4 * max(1, abs(b)), msg=f"{kind}, step {step}: {ours} {theirs}")
                self.assertLess(sum(fewer), 0.75 * sum(all_tokens))

    def test_a_pair_without_much_in_common_is_read_as_it_is(self):
        ids = torch.tensor([[1, 2, 3, 4], [1, 5, 6, 7]])
        inputs, picked = joined(ids, torch.ones_like(ids), torch.ones(2, 3) > 0)
        self.assertTrue(inputs["input_ids"] is ids)
        self.assertEqual(picked.tolist(), [0, 1, 2, 4, 5, 6])

    def test_no_rest_sees_the_other_and_each_token_keeps_its_place(self):
        ids = torch.tensor([[1, 2, 3, 4, 8], [1, 2, 9, 9, 9], [1, 2, 3, 5, 0], [1, 2, 9, 0, 0]])
        mask = (ids != 0).long()
        wanted = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 0], [0, 1, 0, 0]]) > 0
        inputs, picked = joined(ids, mask, wanted)
        self.assertEqual(inputs["input_ids"].tolist()[0], [1, 2, 3, 4, 8, 5])
        self.assertEqual(inputs["input_ids"].tolist()[1][:5], [1, 2, 9, 9, 9])
        self.assertEqual(inputs["position_ids"].tolist()[0], [0, 1, 2, 3, 4, 3])
        self.assertEqual(inputs["attention_mask"][0, 0].int().tolist()[5], [1, 1, 1, 0, 0, 1])
        self.assertEqual(inputs["attention_mask"][0, 0].int().tolist()[4], [1, 1, 1, 1, 1, 0])
        # In the order of the wanted tokens: the 4 from the 3, the 8 from the 4; then row by row.
        self.assertEqual(picked.tolist(), [2, 3, 7, 8, 9, 2, 7])


if __name__ == "__main__":
    unittest.main()
