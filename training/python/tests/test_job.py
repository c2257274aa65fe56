"""A wrong job or row is refused with its place in the message."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from job import BadData, read_job, read_rows
from tiny import ask, job_fields, say, write_dataset, write_lines


class ReadJob(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "model").mkdir()
        (self.folder / "model" / "config.json").write_text("{}")
        write_dataset(self.folder / "data")

    def read(self, **changes):
        fields = job_fields(self.folder)
        hyper = {**fields["hyper"], **changes.pop("hyper", {})}
        path = self.folder / "job.json"
        path.write_text(json.dumps({**fields, "hyper": hyper, **changes}))
        return read_job(path)

    def test_a_whole_job_is_read(self):
        job = self.read()
        self.assertEqual((job.method, job.hyper.rank, job.output), ("dpo", 4, self.folder / "out"))

    def test_each_wrong_field_is_named(self):
        cases = [
            ({"method": "ppo"}, "job.method is 'ppo'"),
            ({"seed": -1}, "job.seed"),
            ({"model": "relative"}, "job.model.*absolute"),
            ({"dataset": "/nowhere"}, "job.dataset.*train.jsonl"),
            ({"surprise": 1}, "job.surprise"),
            ({"hyper": {"learningRate": 0}}, "job.hyper.learningRate is 0"),
            ({"hyper": {"epochs": 1.5}}, "job.hyper.epochs"),
            ({"hyper": {"rank": True}}, "job.hyper.rank"),
            ({"hyper": {"targets": "attention"}}, "job.hyper.targets is 'attention'"),
            ({"hyper": {"strength": 1.5}}, "job.hyper.strength is 1.5.*at most 1"),
            ({"hyper": {"strength": 0}}, "job.hyper.strength is 0.*above 0"),
            ({"hyper": {"labelSmoothing": 0.5}}, "job.hyper.labelSmoothing is 0.5.*must be below"),
            ({"hyper": {"typo": 1}}, "job.hyper.typo"),
            ({"fit": {"microBatch": 3, "checkpointing": False}}, "job.fit.microBatch is 3.*divides"),
            ({"fit": {"microBatch": 2, "checkpointing": 1}}, "job.fit.checkpointing is 1"),
            ({"checkpointSeconds": -1}, "job.checkpointSeconds is -1"),
        ]
        for changes, message in cases:
            with self.subTest(message), self.assertRaisesRegex(BadData, message):
                self.read(**changes)

    def test_a_missing_or_broken_file_is_named(self):
        with self.assertRaisesRegex(BadData, "nothing.json cannot be read"):
            read_job(self.folder / "nothing.json")
        (self.folder / "job.json").write_text("{")
        with self.assertRaisesRegex(BadData, "is not JSON"):
            read_job(self.folder / "job.json")

    def test_each_wrong_row_is_named_by_its_line(self):
        good = {"prompt": ask("Q?"), "chosen": say("a"), "rejected": say("b")}
        cases = [
            ({**good, "chosen": "a"}, "rows.jsonl line 2: chosen"),
            ({**good, "chosen": say(" ")}, "line 2: chosen is empty"),
            ({**good, "prompt": say("a")}, "line 2: prompt must end with a message of the user"),
            ({**good, "rejected": say("a") + say("b")}, "line 2: rejected must be one message"),
            ({"prompt": ask("Q?"), "chosen": say("a")}, "line 2: rejected"),
        ]
        for bad, message in cases:
            with self.subTest(message), self.assertRaisesRegex(BadData, message):
                write_lines(self.folder / "rows.jsonl", [good, bad])
                read_rows(self.folder / "rows.jsonl", ("prompt", "chosen", "rejected"))

    def test_a_field_that_may_be_there_is_read_where_it_is_and_checked(self):
        row = {"prompt": ask("Q?"), "completion": say("a")}
        write_lines(self.folder / "rows.jsonl", [row, {**row, "rejected": say("b")}])
        rows = read_rows(self.folder / "rows.jsonl", ("prompt", "completion"), ("rejected",))
        self.assertEqual([row.get("rejected") for row in rows], [None, say("b")])
        self.assertNotIn("rejected", read_rows(self.folder / "rows.jsonl", ("prompt", "completion"))[1])
        with self.assertRaisesRegex(BadData, "line 1: rejected"):
            write_lines(self.folder / "rows.jsonl", [{**row, "rejected": "b"}])
            read_rows(self.folder / "rows.jsonl", ("prompt", "completion"), ("rejected",))

    def test_a_label_is_true_or_false(self):
        write_lines(self.folder / "rows.jsonl", [{"prompt": ask("Q?"), "completion": say("a"), "label": 1}])
        with self.assertRaisesRegex(BadData, "label must be true or false"):
            read_rows(self.folder / "rows.jsonl", ("prompt", "completion", "label"))

    def test_an_absent_replay_file_has_no_rows(self):
        self.assertEqual(read_rows(self.folder / "none.jsonl", ("prompt",)), [])


if __name__ == "__main__":
    unittest.main()
