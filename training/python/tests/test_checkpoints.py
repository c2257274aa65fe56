"""Half a checkpoint, or a damaged one, does not exist."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]

from checkpoints import last, seal


class Checkpoints(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def make(self, step: int, sealed: bool = True) -> Path:
        path = self.folder / f"checkpoint-{step}"
        path.mkdir()
        (path / "optimizer.pt").write_bytes(b"moments")
        if sealed:
            seal(path)
        return path

    def test_the_newest_is_the_last_by_its_number(self):
        for step in (2, 10, 9):
            self.make(step)
        self.assertEqual(last(self.folder), str(self.folder / "checkpoint-10"))

    def test_one_that_a_kill_left_half_written_is_removed(self):
        self.make(2)
        half = self.make(3, sealed=False)
        self.assertEqual(last(self.folder), str(self.folder / "checkpoint-2"))
        self.assertFalse(half.exists())

    def test_one_that_was_damaged_later_is_not_resumed_from(self):
        (self.make(2) / "optimizer.pt").write_bytes(b"nonsense")
        self.assertIsNone(last(self.folder))


if __name__ == "__main__":
    unittest.main()
