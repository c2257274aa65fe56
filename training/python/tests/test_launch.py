"""How a run of several processes is told as one."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from job import Cancelled
from launch import WorkerFailed, verdict


class Verdict(unittest.TestCase):
    def test_a_process_that_was_killed_decides_whatever_the_others_say(self):
        error = verdict({1: -9, 0: 1}, {0: ("INTERNAL", "Connection closed by peer")})
        self.assertIsInstance(error, WorkerFailed)
        self.assertEqual(error.code, "OUT_OF_MEMORY")

    def test_the_first_word_counts_for_what_follows_is_its_consequence(self):
        error = verdict({0: 1, 1: 2}, {1: ("BAD_DATA", "line 3"), 0: ("INTERNAL", "Connection closed by peer")})
        self.assertEqual((error.code, str(error)), ("BAD_DATA", "line 3"))
        self.assertIsInstance(verdict({0: 6}, {0: ("CANCELLED", "Stopped at step 3.")}), Cancelled)

    def test_processes_that_say_nothing_are_a_bug(self):
        self.assertEqual(verdict({0: -11}, {}).code, "INTERNAL")


if __name__ == "__main__":
    unittest.main()
