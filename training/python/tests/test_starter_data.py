"""What the starter model is trained on: sequences that share a beginning are read as if each stood alone."""

import sys
import unittest
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from handbooks import Shape, make_sheet
from starter_data import Batch, Row, branched, placed_row
from starter_optim import Muon
from tokenizers import Tokenizer
from train_starter import DEVICE, loss_of
from transformers import LlamaForCausalLM

STARTER = Path(__file__).parents[2] / "starter"
SHAPE = Shape(library=(6, 20), unknown=0.2)
tokenizer = Tokenizer.from_file(str(STARTER / "tokenizer.json"))


def sheet(seed: int) -> list[Row]:
    return [placed_row(tokenizer, dialogue, 1536, "") for dialogue in make_sheet(seed, SHAPE)]


class Branches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = LlamaForCausalLM.from_pretrained(STARTER, dtype=torch.float32).eval().to(DEVICE)

    @torch.no_grad()
    @patch("train_starter.BFLOAT16", False)  # to compare the last digits
    def test_questions_about_the_same_passages_cost_what_they_cost_one_by_one(self):
        for seed in range(3):
            rows = sheet(seed)
            whole = branched(rows, 1536)
            self.assertLess(len(whole.ids), 0.7 * sum(len(row.ids) for row in rows))
            counted = [sum(row.counts) for row in rows]
            self.assertEqual(sum(whole.counts), sum(counted))
            loss, pointing = loss_of(self.model, Batch.of([whole]))
            alone = [loss_of(self.model, Batch.of([row]))[0] * count for row, count in zip(rows, counted, strict=True)]
            self.assertAlmostEqual(loss.item(), sum(alone).item() / sum(counted), places=4)
            together = loss_of(self.model, Batch.of(rows))
            self.assertAlmostEqual(pointing.item(), together[1].item(), places=3)

    def test_a_sequence_that_would_make_the_row_too_long_is_left_out_whole(self):
        rows = [Row.plain([5, 6, 7, 7], [False, False, True, True], [], 9), Row.plain([5, 6, 8, 8, 8], [False, False, True, True, True], [(3, 0, 1)], 9)]
        self.assertEqual(branched(rows, 6).ids, [5, 6, 7, 7])
        whole = branched(rows, 9)
        self.assertEqual((whole.ids, whole.positions, whole.branches), ([5, 6, 7, 7, 8, 8, 8], [0, 1, 2, 3, 2, 3, 4], [0, 0, 1, 1, 2, 2, 2]))
        self.assertEqual(whole.links, [(5, 0, 1)])


class Muons(unittest.TestCase):
    def test_keep_their_momenta_where_the_weights_are(self):
        matrices = [torch.nn.Parameter(torch.zeros(shape, device="meta")) for shape in ((8, 4), (8, 4), (4, 8))]
        for matrix in matrices:
            matrix.grad = torch.ones_like(matrix)
        muon = Muon(matrices)
        muon.step(0.1)
        self.assertEqual({momentum.device.type for momentum in muon.momenta}, {"meta"})


class Sheets(unittest.TestCase):
    def test_every_question_is_answered_by_a_passage_that_is_shown_or_by_none(self):
        kinds = []
        for seed in range(40):
            for dialogue in make_sheet(seed, SHAPE):
                (turn,) = dialogue.turns
                kinds.append(turn.kind == "unknown")
                if turn.claim is not None:
                    self.assertIn(turn.claim.section.shown(), turn.user)
        self.assertTrue(0.1 < sum(kinds) / len(kinds) < 0.5)


if __name__ == "__main__":
    unittest.main()
