"""The values that facts take: amounts, times, people, addresses. A spec such as "days 12 40" names a maker."""

import random
from dataclasses import dataclass, field

from .wording import is_reserved

SYLLABLES = ("ba ko ri ta mel vo sun der lin qua zor pe ni gar hu fex ol ra tis um bel cor da em fi gan hol ir jo kas "
             "lor mi nel or pra quin ros sel tor ul ven wil xan yor zen bri cla dro fle gre sta tra vel lum dar").split()
FIRST = ("Anna Ben Clara David Emma Felix Grace Henry Irene Jonas Karin Leo Marta Nils Olga Peter Rosa Simon Tessa Ulrich Vera "
         "Walter Yara Zoe Ahmed Bianca Carlos Dana Elif Fatima Giulia Hugo Ingrid Javier Kenji Laura Mei Noor Omar Priya Ravi "
         "Sofia Tom Uma Victor Wanda Xavier Yusuf Maria James Linda Robert Susan Michael Sarah Daniel Julia Erik Nina Lars").split()
LAST = ("Keller Novak Schmidt Jansen Rossi Dubois Larsen Silva Kowalski Meyer Hansen Garcia Ivanov Tanaka Chen Patel Murphy "
        "Brown Taylor Wilson Berg Lind Moreau Ricci Costa Weber Fischer Wagner Becker Hoffmann Koch Richter Wolf Braun Clark "
        "Lewis Walker Hall Young King Wright Hill Green Baker Adams Nelson Carter Evans Turner Parker Collins Stone Reed Lane "
        "Ford Hart Moss Nash Pike Vance Wells York Abbott Doyle Frost Haas Kern Lutz Marsh Okafor Demir Yilmaz Haddad").split()
CITIES = ("Riga Oslo Berlin Paris Lisbon Madrid Vienna Prague Warsaw Dublin London Leeds Porto Turin Milan Rome Athens Zurich Basel "
          "Hamburg Munich Cologne Lyon Ghent Antwerp Utrecht Malmo Bergen Tampere Tallinn Vilnius Krakow Graz Boston Denver Austin "
          "Seattle Toronto Chicago Atlanta Sydney Osaka Nairobi Lagos Cairo Delhi Mumbai Lima Bogota Quito").split()
COUNTRIES = ("Germany France Spain Italy Poland Norway Sweden Finland Denmark Ireland Portugal Austria Switzerland Belgium Greece "
             "Canada Japan India Brazil Mexico Kenya Chile Iceland Estonia Latvia").split()
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
CURRENCIES = ["{} euros", "{} euros", "{} dollars", "€{}", "${}", "{} EUR", "{} pounds", "£{}", "{} francs", "{} USD", "{} kroner", "{} zloty"]
COLORS = "red blue green yellow white black grey orange".split()
STREETS = "Mill Harbor Station Market Church Garden River Park Bridge School Castle Oak Linden North South".split()


@dataclass
class Names:
    """Invents names and keeps to one side of the split: reserved names are for evaluation only."""

    rng: random.Random
    held_out: bool = False
    taken: set = field(default_factory=set)

    def fresh(self, make) -> str:
        """A name from `make()` on this side of the split, not used before in this world."""
        for _ in range(200):
            name = make()
            if name not in self.taken and is_reserved(name) == self.held_out:
                break
        self.taken.add(name)
        return name

    def invented(self, low: int = 2, high: int = 3) -> str:
        """A pronounceable word that means nothing, with a capital."""
        return self.fresh(lambda: "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(low, high))).capitalize())

    def person(self) -> str:
        """A first and a last name, sometimes invented, sometimes the last name alone with a title."""
        roll = self.rng.random()
        if roll < 0.65:
            return self.fresh(lambda: f"{self.rng.choice(FIRST)} {self.rng.choice(LAST)}")
        if roll < 0.9:
            return f"{self.rng.choice(FIRST)} {self.invented()}" if roll < 0.8 else f"{self.invented()} {self.invented()}"
        return self.fresh(lambda: self.rng.choice(["Ms ", "Mr ", "Dr "]) + self.rng.choice(LAST)) if roll < 0.95 else self.invented()

    def place(self) -> str:
        """A town, half of the time an invented one."""
        if self.held_out or self.rng.random() < 0.5:
            return self.invented()
        city = self.rng.choice([c for c in CITIES if c not in self.taken])
        self.taken.add(city)
        return city


def number(rng: random.Random, low: int, high: int) -> str:
    """A whole number as digits, or now and then as a word."""
    n = rng.randint(low, high)
    return WORDS[n] if n <= 12 and rng.random() < 0.25 else str(n)


def counted(rng: random.Random, low: int, high: int, unit: str) -> str:
    """A number with a unit that agrees with it: "1 day", "25 days"."""
    n = number(rng, low, high)
    if n in ("1", "one"):
        first, *rest = unit.split(" ")
        return " ".join([n, first[:-1] if first.endswith("s") else first, *rest])
    return f"{n} {unit}"


def money(rng: random.Random, low: int, high: int, money_format: str) -> str:
    """An amount in the world's currency; large ones are round, some have cents."""
    n = rng.randint(low, high)
    if n > 100 and rng.random() < 0.6:
        n = round(n, -1)
    text = f"{n:,}" if n >= 1000 and rng.random() < 0.8 else str(n)
    if n < 200 and rng.random() < 0.15:
        text += rng.choice([".50", ".90", ".99", ".25"])
    return money_format.format(text)


def clock(rng: random.Random, low: int = 6, high: int = 21) -> str:
    """A time of day in one of the usual notations."""
    hour, minute = rng.randint(low, high), rng.choice(["00", "15", "30", "45", "00", "30"])
    if rng.random() < 0.25:
        half = "am" if hour < 12 else "pm"
        shown = (hour - 1) % 12 + 1
        return f"{shown} {half}" if minute == "00" else f"{shown}:{minute} {half}"
    return f"{hour}:{minute}"


def date(rng: random.Random) -> str:
    """A day of the year."""
    day, month = rng.randint(1, 28), rng.choice(MONTHS)
    return rng.choice([f"{day} {month}", f"{day} {month}", f"{month} {day}", f"{month} {day}"])


def length(rng: random.Random) -> str:
    """A length of time in any unit."""
    unit = rng.choice("days days weeks weeks months hours years minutes".split() + ["working days", "business days"])
    top = {"days": 90, "weeks": 12, "months": 24, "hours": 72, "years": 10, "minutes": 90}.get(unit, 30)
    return counted(rng, 1, top, unit)


def room(rng: random.Random) -> str:
    """A room or a spot in a building."""
    n = rng.randint(1, 9) * 100 + rng.randint(1, 40)
    return rng.choice([f"room {n}", f"room {rng.choice('ABCDEFG')}{rng.randint(1, 40)}", f"room {rng.randint(1, 9)}.{rng.randint(10, 39)}",
                       f"room {n}", f"office {n}"])


def spot(rng: random.Random) -> str:
    """A place inside the firm where a thing may be found."""
    floor = rng.choice("first second third fourth fifth sixth".split())
    thing = rng.choice("reception kitchen canteen library workshop lift staircase entrance mailroom lobby archive".split())
    return rng.choice([f"the hall on the {floor} floor", f"the corridor on the {floor} floor", room(rng), room(rng), f"the {thing}", f"the cupboard next to the {thing}",
                       f"the basement", f"building {rng.choice('ABCDEF')}", f"the {rng.choice(COLORS)} box by the {thing}", f"the corridor behind the {thing}",
                       f"the shelf in {room(rng)}", f"the {rng.choice(COLORS)} cabinet", f"the yard behind building {rng.choice('ABCDEF')}"])


def phone(rng: random.Random) -> str:
    """A phone number or an extension."""
    d = lambda n: "".join(str(rng.randint(0, 9)) for _ in range(n))
    return rng.choice([f"extension {d(3)}", f"extension {d(4)}", f"+{rng.randint(20, 99)} {d(2)} {d(3)} {d(4)}", f"0{d(2)} {d(3)} {d(3)}", d(4), f"555-{d(4)}"])
