"""Highlights: which sentences of its passages the starter's prompts tell once more."""

import random
import unittest

from handbooks import Shape, make_dialogue, make_sheet
from handbooks.sections import Section
from handbooks.sentences import sentences
from starter_data import FORGOTTEN
from starter_embed import make_book
from starter_highlights import Highlighter

SHAPE = Shape(turns=(3, 5), library=(12, 20))
TIME_OFF = Section("Time off", "Vacation", "You get **25 days** a year. We like the sea.\n- Moving house: 2 days\n- Parking: 30 euros", [], 1)


class SentencesOfPassages(unittest.TestCase):
    def test_puts_rows_of_tables_in_words(self):
        table = "| Name | Opens | Seats |\n|---|---|---|\n| Riga | 8:00 | - |\n| Graz | 9:00 | 4 |"
        self.assertEqual([s.text for s in sentences(table)], ["Riga: Opens 8:00", "Graz: Opens 9:00, Seats 4"])

    def test_goes_on_over_broken_lines_and_leaves_out_code(self):
        self.assertEqual([s.text for s in sentences("Staff may not\nbring dogs.\n```\nx = 1\n```\n- Cats\n  too")], ["Staff may not bring dogs.", "Cats too"])

    def test_says_of_an_item_what_its_list_is_about(self):
        self.assertEqual([(s.about, s.text) for s in sentences("Phone:\n- Riga: 12")], [("", "Phone:"), ("Phone:", "Riga: 12")])

    def test_finds_a_sentence_that_states_nearly_every_claim(self):
        asked = [a for seed in range(3) for a in make_book(seed).asked]
        stated = [a for a in asked if a.sentences]
        self.assertGreater(len(stated), 0.97 * len(asked))


class Highlights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.near = staticmethod(Highlighter().near)

    def test_are_what_the_question_means_with_the_number_of_the_passage(self):
        found = self.near("How long is my annual holiday?", [TIME_OFF], random.Random(1))
        self.assertEqual(found[0], "You get 25 days a year. [1]")
        self.assertNotIn("Parking: 30 euros [1]", found)

    def test_are_none_for_small_talk_and_for_what_nothing_is_near(self):
        for said in ("How are you?", "Which bank do we use?"):
            self.assertEqual(self.near(said, [TIME_OFF], random.Random(1)), [])

    def test_are_more_often_wrong_when_words_of_the_question_are_left_out(self):
        def right(near):
            turns = [d.turns[0] for seed in range(30) for d in make_sheet(seed, SHAPE, near=near)]
            known = [t for t in turns if t.claim and t.claim.fact.id != "section-contact"]
            return sum(any(t.value in line for line in t.user.split("\n\n")[-2].splitlines()[1:]) for t in known) / len(known)

        self.assertGreater(right(self.near), right(Highlighter(forget=0.5).near) + 0.1)

    def test_stand_before_the_question_and_name_only_passages_that_were_shown(self):
        for seed in range(20):
            dialogue, shown = make_dialogue(seed, SHAPE, near=self.near), 0
            for turn in dialogue.turns:
                *given, question = turn.user.split("\n\n")
                self.assertEqual(question, turn.question)
                shown += sum(part.startswith("[") for part in given)
                lines = given[-1].splitlines()[1:] if given and given[-1].startswith("Nearest:\n") else []
                self.assertTrue(all(1 <= int(line.rsplit("[", 1)[1][:-1]) <= shown for line in lines))

    def test_change_nothing_else_of_a_dialogue(self):
        plain, told = (make_dialogue(3, SHAPE, near=near) for near in (None, Highlighter(forget=FORGOTTEN).near))
        self.assertEqual([t.question for t in plain.turns], [t.question for t in told.turns])
        self.assertEqual([t.reply for t in plain.turns], [t.reply for t in told.turns])


if __name__ == "__main__":
    unittest.main()
