"""The generator: the same seed gives the same text, values stand where they should, reserved words stay reserved."""

import json
import random
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from handbooks import Shape, make_dialogue, make_sheet, plain_page
from handbooks.books import make_book, write_book
from handbooks.checking import cites, figures, group_of, is_right
from handbooks.library import MOST_SHOWN, Library
from handbooks.questions import CLOSE_TO, unsaid
from handbooks.sections import Claim, Section, with_pronoun
from handbooks.topics import load
from handbooks.wording import expand, is_reserved, typo


def plain(text: str) -> str:
    return text.replace("**", "").lower()


class Dialogues(unittest.TestCase):
    def test_a_seed_makes_the_same_dialogue_every_time(self):
        self.assertEqual(make_dialogue(11, Shape()).messages(), make_dialogue(11, Shape()).messages())
        self.assertNotEqual(make_dialogue(11, Shape()).messages(), make_dialogue(12, Shape()).messages())

    def test_an_answered_value_stands_in_the_cited_passage(self):
        for seed in range(150):
            dialogue, seen = make_dialogue(seed, Shape(turns=(3, 6))), ""
            for turn in dialogue.turns:
                seen += "\n\n" + turn.user
                if turn.citation is None or turn.value in ("Yes", "No"):
                    continue
                passage = plain(re.split(rf"(?m)^\[{turn.citation}\] ", seen)[1].split("\n\n[")[0])
                for value in turn.items or [turn.value]:
                    self.assertIn(value.lower(), passage, f"seed {seed}, {turn.kind}")

    def test_every_reply_passes_its_own_check_and_cites_its_passage(self):
        for seed in range(150):
            for turn in make_dialogue(seed, Shape()).turns:
                self.assertTrue(is_right(turn, turn.reply), f"seed {seed}: {turn}")
                self.assertEqual(cites(turn.reply), [turn.citation] if turn.citation else [], turn.reply)

    def test_a_question_to_a_library_is_shown_what_a_search_finds_and_always_the_passage_that_answers_it(self):
        nears = 0
        for seed in range(60):
            dialogue, seen = make_dialogue(seed, Shape(turns=(3, 6), library=(8, 30))), ""
            for turn in dialogue.turns:
                seen += "\n\n" + turn.user
                if turn.citation is None:
                    continue
                self.assertEqual(cites(turn.reply), [turn.citation], turn.reply)
                passage = plain(re.split(rf"(?m)^\[{turn.citation}\] ", seen)[1].split("\n\n[")[0])
                for value in turn.items or ([] if turn.value in ("Yes", "No") else [turn.value]):
                    self.assertIn(value.lower(), passage, f"seed {seed}, {turn.kind}")
                nears += len(re.findall(r"(?m)^\[\d+\] ", turn.user)) > 1
            numbers = [int(n) for t in dialogue.turns for n in re.findall(r"(?m)^\[(\d+)\] ", t.user)]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            self.assertLessEqual(len(numbers), MOST_SHOWN + 1 + len(dialogue.turns))
        self.assertGreater(nears, 60)

    def test_a_library_ranks_the_section_that_a_question_speaks_of_first(self):
        sections = [Section("Rules", head, body, []) for head, body in
                    [("Parking", "The car park is behind the house."), ("Hotels", "A hotel may cost 120 euros."), ("Leave", "There are 25 days of vacation.")]]
        self.assertEqual(Library(sections, random.Random(1)).search("How many vacation days do I get?", 2)[0].head, "Leave")

    def test_passage_numbers_go_on_through_the_thread(self):
        for seed in range(100):
            numbers = [int(n) for t in make_dialogue(seed, Shape()).turns for n in re.findall(r"(?m)^\[(\d+)\] ", t.user)]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_a_section_about_one_thing_names_it_first_and_then_says_it(self):
        pronouns = 0
        for seed in range(100):
            for (turn,) in (dialogue.turns for dialogue in make_sheet(seed, Shape(library=(6, 34)))):
                if turn.claim is None or not turn.claim.entity or not turn.claim.leans:
                    continue
                section, stated = turn.claim.section, [c.evidence for c in turn.claim.section.claims]
                first = next(c for c in section.claims if c.entity)
                self.assertIn(turn.claim.entity.lower(), first.evidence.lower())
                before = plain(section.body)[: plain(section.body).index(turn.claim.evidence.lower())].strip()
                self.assertTrue(any(before.endswith(one.lower()) for one in stated), f"seed {seed}: {section.body}")
                pronouns += 1
        self.assertGreater(pronouns, 20)

    def test_a_pronoun_stands_for_a_subject_or_what_a_sentence_ends_with(self):
        self.assertEqual(with_pronoun("The chess club meets in room 3.", "chess club", "club"), "It meets in room 3.")
        self.assertEqual(with_pronoun("Anna Keller leads the chess club.", "chess club", "club"), "Anna Keller leads it.")
        self.assertEqual(with_pronoun("Night guards wear a red badge.", "night guards", "role"), "They wear a red badge.")
        self.assertEqual(with_pronoun("The badge of night guards is red.", "night guards", "role"), "The badge of night guards is red.")
        self.assertEqual(with_pronoun("You find the bakery in room 3.", "bakery", "service"), "You find it in room 3.")

    def test_what_is_asked_of_an_entity_in_vain_is_said_of_it_nowhere(self):
        topic = next(t for t in load() if any(f.id == "club-lead" for f in t.facts))
        lead, day = (next(f for f in topic.facts if f.id == name) for name in ("club-lead", "club-day"))
        said = [Claim(lead, "Anna Keller", "Anna Keller leads the chess club.", "chess club"), Claim(day, "Monday", "The book club meets on Monday.", "book club")]
        asked = {(fact.id, entity) for fact, entity in unsaid(said[0], said)}
        self.assertIn(("club-day", "chess club"), asked)
        self.assertNotIn(("club-lead", "chess club"), asked)
        self.assertEqual({entity for _, entity in asked}, {"chess club"})

    def test_training_never_uses_a_reserved_wording_of_a_question(self):
        patterns = {p for t in load() for f in t.facts if len(f.asks) > 2 for p in f.asks if is_reserved(p)}
        patterns -= {p for t in load() for f in t.facts for p in f.asks if not is_reserved(p)}
        self.assertGreater(len(patterns), 20)
        for seed in range(100):
            for turn in make_dialogue(seed, Shape()).turns:
                self.assertNotIn(turn.question, patterns)

    def test_unanswered_questions_are_a_sixth_of_all(self):
        turns = [t for seed in range(200) for t in make_dialogue(seed, Shape()).turns]
        share = sum(group_of(t).startswith("unknown") for t in turns) / len(turns)
        self.assertTrue(0.12 < share < 0.24, share)


class Wordings(unittest.TestCase):
    def test_alternatives_and_options_nest(self):
        forms = {expand("(a|b[c|d]) e", random.Random(i)) for i in range(100)}
        self.assertEqual(forms, {"a e", "b e", "bc e", "bd e"})

    def test_an_unbalanced_pattern_is_refused(self):
        with self.assertRaises(AssertionError):
            expand("(a|b", random.Random(0))

    def test_a_typo_spares_digits(self):
        for seed in range(50):
            self.assertIn("2024", typo("opened in 2024 somewhere", random.Random(seed)))

    def test_every_fact_can_be_stated_and_asked_for(self):
        facts = [f for t in load() for f in t.facts]
        self.assertGreaterEqual(len({f.id for f in facts}), 60)
        for fact in facts:
            self.assertTrue(fact.says and fact.asks, fact.id)
            if fact.yes_no:
                self.assertEqual({yes for yes, _ in fact.says}, {True, False}, fact.id)


    def test_every_wording_is_whole_and_holds_what_it_must(self):
        for fact in (f for t in load() for f in t.facts):
            for says, pattern in [(True, p) for _, p in fact.says] + [(False, p) for p in fact.asks]:
                for seed in range(20):
                    text = expand(pattern, random.Random(seed))
                    self.assertRegex(text, r"^\S.*[^\s.?][.]$" if says else r"^\S.*[^\s.?][.?]$", fact.id)
                    self.assertNotRegex(text, r"  | [.,?]", fact.id)
                    self.assertEqual(text.lower().count("{p}"), 1 if fact.slot else 0, f"{fact.id}: {text}")
                    self.assertEqual(text.count("{v}"), 1 if says and not fact.yes_no else 0, f"{fact.id}: {text}")

    def test_no_two_facts_have_the_same_name(self):
        names = [f.id for t in load() for f in t.facts]
        self.assertEqual(len(names), len(set(names)))

    def test_facts_that_mean_the_same_are_facts(self):
        self.assertLessEqual(set(CLOSE_TO), {f.id for t in load() for f in t.facts})


class Books(unittest.TestCase):
    def test_a_book_has_its_answers_on_its_pages(self):
        for seed in (1, 2, 3):
            files, rows = make_book(seed)
            self.assertTrue(8 <= len(files) <= 14, len(files))
            self.assertGreaterEqual(sum(row["answer"] is None for row in rows), 15)
            self.assertGreaterEqual(sum("turns" in row for row in rows), 3)
            for row in rows:
                if row["answer"] and row["answer"] not in ("Yes", "No"):
                    for value in row.get("items", [row["answer"]]):
                        self.assertIn(value.lower(), plain(files[row["page"]]), row)

    def test_a_book_is_the_same_every_time(self):
        with tempfile.TemporaryDirectory() as folder:
            write_book(5, Path(folder, "a"))
            write_book(5, Path(folder, "b"))
            files = lambda name: {p.name: p.read_text() for p in Path(folder, name).iterdir()}
            self.assertEqual(files("a"), files("b"))
            for line in Path(folder, "a.jsonl").read_text().splitlines():
                self.assertIn("question", json.loads(line))

    def test_plain_pages_are_the_same_every_time(self):
        self.assertEqual(plain_page(random.Random(3)), plain_page(random.Random(3)))


class Checking(unittest.TestCase):
    def test_a_longer_number_is_not_the_value(self):
        turn = next(t for s in range(50) for t in make_dialogue(s, Shape()).turns if t.value and t.value[0].isdigit())
        self.assertTrue(is_right(turn, f"It is {turn.value}. [1]"))
        self.assertFalse(is_right(turn, f"It is 1{turn.value}. [1]"))

    def test_figures_count_each_kind(self):
        turns = [t for s in range(30) for t in make_dialogue(s, Shape()).turns]
        found = figures(turns, [t.reply for t in turns])
        self.assertEqual((found["right"], found["unknown"], found["false_unknown"], found["citation"]), (1.0, 1.0, 0.0, 1.0))


if __name__ == "__main__":
    unittest.main()
