"""RL on a random model of two layers: the reward model, the groups, and a run that is stopped twice."""

import sys
import tempfile
import unittest
from pathlib import Path

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
    def rewards(self, groups: int, reward, reply=lambda index: [index]) -> None:
        from rl import watched

        watch = watched(lambda completion_ids, **_: [reward(index) for index in range(len(completion_ids))])
        for _ in range(groups):
            watch(prompts=["p"] * 4, completion_ids=[reply(index) for index in range(4)])

    def test_groups_that_vary_pass(self):
        self.rewards(40, lambda index: index)

    def test_a_few_flat_groups_are_no_verdict(self):
        self.rewards(3, lambda index: 1.0)

    def test_one_answer_to_every_question_is_an_error_with_what_to_do(self):
        with self.assertRaisesRegex(BadData, "4 of the last 4 groups .* same answer to a question.* Train with dpo"):
            self.rewards(4, lambda index: 1.0, lambda index: [7])

    def test_one_reward_for_different_answers_is_an_error_that_says_so(self):
        with self.assertRaisesRegex(BadData, "scores different answers alike"):
            self.rewards(4, lambda index: 1.0)


if __name__ == "__main__":
    unittest.main()
