"""Where the starter model's heads are told to look is where the reply's words come from."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from handbooks import Shape, make_dialogue
import torch
from starter_data import place_dialogue
from starter_pointers import NEXT, NUMBER, SENTENCE, VALUE, pointers
from tokenizers import Tokenizer
from train_starter import told

tokenizer = Tokenizer.from_file(str(Path(__file__).parents[2] / "starter" / "tokenizer.json"))


def placed(seed: int):
    """A dialogue with its token ids and pointers."""
    dialogue = make_dialogue(seed, Shape(turns=(3, 6), passages=(2, 3)))
    ids, _, messages = place_dialogue(tokenizer, dialogue.messages())
    told = messages[len(messages) % 2 :]
    return dialogue, ids, pointers(dialogue.turns, told[::2], told[1::2])


class Pointers(unittest.TestCase):
    def test_a_head_looks_back_and_never_ahead(self):
        for seed in range(100):
            for looks, _, at in placed(seed)[2]:
                self.assertLessEqual(at, looks, f"seed {seed}")

    def test_what_is_copied_next_is_nearly_always_the_same_token(self):
        links = [(ids, looks, at) for _, ids, found in map(placed, range(100)) for looks, head, at in found if head == NEXT]
        same = sum(ids[looks + 1] == ids[at] for ids, looks, at in links)
        self.assertGreater(len(links), 1000)
        self.assertGreater(same / len(links), 0.85)

    def test_the_number_that_is_looked_at_is_the_number_that_is_cited(self):
        for seed in range(100):
            dialogue, ids, found = placed(seed)
            numbers = [tokenizer.decode([ids[at]]) for _, head, at in found if head == NUMBER]
            cited = {str(turn.citation)[0] for turn in dialogue.turns if turn.citation is not None}
            self.assertEqual(set(numbers), cited, f"seed {seed}")

    def test_a_question_that_the_passages_do_not_answer_points_at_nothing(self):
        for seed in range(20):
            dialogue, _, found = placed(seed)
            nowhere = [link for link in found if link[2] == 0]
            self.assertEqual(len(nowhere), 2 * sum(turn.claim is None for turn in dialogue.turns), f"seed {seed}")
            self.assertTrue(all(head in (VALUE, SENTENCE) for _, head, _ in nowhere))

    def test_the_loss_of_the_told_heads_is_that_of_causal_attention_at_the_tokens_that_are_told(self):
        rows, heads, length, size = 2, 4, 12, 8
        torch.manual_seed(0)
        queries, keys = torch.randn(rows, heads, length, size), torch.randn(rows, heads, length, size)
        links = torch.tensor([(0, 5, VALUE, 2), (0, 7, VALUE, 7), (1, 9, SENTENCE, 0), (1, 4, NEXT, 3), (0, 11, NEXT, 10)])
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        attention = (queries @ keys.transpose(2, 3)).masked_fill(later, float("-inf")).softmax(-1)
        costs = [-attention[row, head, looks, at].log() for row, looks, head, at in links.tolist()]
        expected = torch.stack(costs[:3]).mean() + torch.stack(costs[3:]).mean()
        self.assertAlmostEqual(told(queries, keys, links).item(), expected.item(), places=5)


if __name__ == "__main__":
    unittest.main()
