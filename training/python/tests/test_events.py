"""stdout has events and nothing else."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent.parent


def lines(script: str, **environment) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=HERE, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.splitlines()


class Events(unittest.TestCase):
    def test_prints_of_any_kind_do_not_reach_stdout(self):
        noise = "print('a'); os.write(1, b'b\\n'); os.system('echo c')"
        found = lines(f"import os, events; events.take_stdout(); {noise}; events.emit('stage', stage='x', state='done')")
        self.assertEqual([json.loads(line) for line in found], [{"type": "stage", "stage": "x", "state": "done"}])

    def test_a_number_that_is_not_finite_is_left_out(self):
        found = lines("import events; events.take_stdout(); events.emit('step', step=1, loss=float('nan'), margin=None)")
        self.assertEqual([json.loads(line) for line in found], [{"type": "step", "step": 1}])

    def test_only_the_first_of_several_processes_speaks(self):
        script = "import events; events.take_stdout(); events.emit('step', step=1)"
        self.assertEqual(lines(script, RANK="1"), [])
        self.assertEqual(len(lines(script, RANK="0")), 1)

    def test_a_heartbeat_comes_while_nothing_else_does(self):
        script = "import events, sys, time; events.take_stdout(); events.start_heartbeat(0.01); time.sleep(0.5)"
        self.assertIn('{"type": "heartbeat"}', lines(script))

    def test_a_stage_that_fails_is_not_done(self):
        script = "import events\nevents.take_stdout()\ntry:\n with events.stage('x'): 1 / 0\nexcept ZeroDivisionError: pass"
        self.assertEqual([json.loads(line)["state"] for line in lines(script)], ["start"])


if __name__ == "__main__":
    unittest.main()
