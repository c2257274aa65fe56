"""RL on a random model of two layers: the reward model, the groups, and a run that is stopped twice."""

import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

HERE = Path(__file__).parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(HERE)]

from job import BadData
from tiny import ask, run_job, say, write_job, write_model


class Rl(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_model(self.folder / "model")

    def test_a_run_stopped_in_either_half_goes_on_to_the_very_same_lora(self):
        code, events = run_job(write_job(self.folder, "rl", "a", epochs=3))
        self.assertEqual(code, 0, events)
        steps = [event for event in events if event["type"] == "step"]
        self.assertEqual([(event["step"], event["of"]) for event in steps], [(n + 1, 30) for n in range(30)])
        judging, acting = steps[:6], steps[6:]
        self.assertGreater(judging[-1]["margin"], judging[0]["margin"])
        self.assertTrue(all("reward" in event and "kl" in event for event in acting))
        job = write_job(self.folder, "rl", "b", epochs=3)
        for stop in (3, 12):
            code, stopped = run_job(job, stop_at=stop)
            self.assertEqual((code, stopped[-1]["code"]), (6, "CANCELLED"))
        code, again = run_job(job)
        self.assertEqual(code, 0, again)
        self.assertGreater(next(event["step"] for event in again if event["type"] == "step"), 12)
        self.assertEqual(again[-1]["sha256"], events[-1]["sha256"])

    def test_a_reward_model_that_cannot_tell_what_people_liked_is_refused(self):
        from reward import judge_of
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        model = AutoModelForSequenceClassification.from_pretrained(self.folder / "model", num_labels=1).eval()
        tokenizer = AutoTokenizer.from_pretrained(self.folder / "model")
        same = [{"chosen_ids": [9, 8, 2], "rejected_ids": [9, 8, 2]}] * 4
        with self.assertRaisesRegex(BadData, "only 0 of 4 pairs .* train with dpo"):
            judge_of(model, tokenizer, same, 2)

    def test_a_reply_that_never_ends_is_worth_less_than_its_text(self):
        from reward import judge_of, whole_ids
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        model = AutoModelForSequenceClassification.from_pretrained(self.folder / "model", num_labels=1).eval()
        tokenizer = AutoTokenizer.from_pretrained(self.folder / "model")
        row = {"prompt": ask("Fine?"), "chosen": say("yes"), "rejected": say("no")}
        pair = {f"{side}_ids": whole_ids(tokenizer, row, side) for side in ("chosen", "rejected")}
        self.assertEqual(pair["chosen_ids"][-1], tokenizer.eos_token_id)
        try:
            judge = judge_of(model, tokenizer, [pair], 2)
        except BadData:
            judge = judge_of(model, tokenizer, [{"chosen_ids": pair["rejected_ids"], "rejected_ids": pair["chosen_ids"]}], 2)
        whole = tokenizer("yes")["input_ids"]
        ended, cut = judge(prompts=[row["prompt"]] * 2, completion_ids=[[*whole, tokenizer.eos_token_id], whole])
        bare = judge(prompts=[row["prompt"]], completion_ids=[[*whole, tokenizer.eos_token_id]])
        self.assertAlmostEqual(abs(ended), 1, places=3)
        self.assertEqual([ended], bare)
        self.assertNotAlmostEqual(ended, cut)


class Groups(unittest.TestCase):
    def run_of(self, rewards, reply=lambda index: [index]):
        """What is told to end the run after a step of one group each, whose four rewards these are."""
        from rl import Variety, watched

        state, control = SimpleNamespace(log_history=[]), SimpleNamespace(should_training_stop=False)
        for group in rewards:
            row = {"reward": sum(group) / 4}
            watched(lambda group=group, **_: group)(prompts=["p"] * 4, completion_ids=[reply(index) for index in range(4)], log_metric=row.__setitem__)
            state.log_history.append(row)
            Variety().on_log(None, state, control)
            if control.should_training_stop:
                break
        return len(state.log_history), control.should_training_stop

    def test_groups_that_vary_go_on(self):
        self.assertEqual(self.run_of([[0.0, 1.0, 2.0, 3.0]] * 40), (40, False))

    def test_one_flat_group_is_no_verdict(self):
        self.assertEqual(self.run_of([[1.0] * 4]), (1, False))

    def test_one_answer_to_every_question_is_an_error_with_what_to_do(self):
        with self.assertRaisesRegex(BadData, "100% of the groups of the last 2 steps .* same answer to a question.* Train with dpo"):
            self.run_of([[1.0] * 4] * 2, lambda index: [7])

    def test_one_reward_for_different_answers_is_an_error_that_says_so(self):
        with self.assertRaisesRegex(BadData, "scores different answers alike"):
            self.run_of([[1.0] * 4] * 2)

    def test_a_run_whose_rewards_have_risen_ends_well_when_they_are_all_alike(self):
        varied, flat = [[-1.0, 0.0, -1.0, 0.0]] * 20, [[1.0] * 4] * 20
        self.assertEqual(self.run_of(varied + flat), (29, True))

    def test_a_short_run_that_has_converged_ends_well_too(self):
        self.assertEqual(self.run_of([[-1.0, 0.0, -1.0, 0.0]] * 6 + [[1.0] * 4] * 10), (13, True))

    def test_a_run_whose_rewards_have_not_risen_is_an_error_at_the_same_point(self):
        with self.assertRaisesRegex(BadData, "in 56% of the groups of the last 16 steps"):
            self.run_of([[-1.0, 0.0, -1.0, 0.0]] * 20 + [[-0.5] * 4] * 20)


if __name__ == "__main__":
    unittest.main()
