"""One invented firm: its name, its assistant's name, its places, plans, products and teams, and what it pays in."""

import random

from . import values
from .topics import Fact
from .values import Names
from .wording import join

PLANS = "Basic Starter Pro Team Business Plus Premium Light Solo Max Standard Family Gold Silver Bronze Free Growth Studio Small Large".split()
TEAMS = ("Sales,Marketing,Finance,Legal,Design,Engineering,Customer Care,Logistics,Purchasing,Human Resources,Data,Quality,Research,"
         "Accounting,Production,Planning,Press,Events,Security,Payroll,Recruiting,Facilities,Field Service,Testing").split(",")
TOPICS = ("parking,payroll,visas,contracts,travel,training,badges,the website,insurance,press questions,data protection,the newsletter,"
          "recruiting,invoices,company cars,sick notes,keys,the intranet,work safety,expenses,office supplies,the canteen,internships,"
          "moving house,new laptops,phones,software licences,meeting rooms,time sheets,pensions,bicycles,complaints,returns,deliveries,"
          "cleaning,gifts,the archive,translations,photos,the summer party,certificates,taxes,first aid,plants,heating,printers").split(",")
GROUPS = ("students,schools,charities,pensioners,start-ups,public offices,families,members,teachers,clubs,artists,libraries,hospitals,"
          "old customers,new customers,freelancers,nurses,museums").split(",")
ROOM_NAMES = ("Oak,Birch,Maple,Willow,Atlas,Neptune,Amber,Danube,Everest,Jupiter,Copper,Raven,Falcon,Tulip,Harbour,Meadow,Garden Room,"
              "Blue Room,the Attic,the Library,Lighthouse,Orion,Sahara,Lagoon").split(",")
EVENT_FIRST = ("summer winter spring autumn yearly monthly weekly board team project family sports quiz book photo music film dance safety sales "
               "design coding cooking baking chess garden charity customer open staff sailing hiking city press art science history language "
               "welcome farewell planning budget product youth singing running swimming reading theatre tax").split()
EVENT_LAST = ("party meeting evening workshop fair club tour class lunch breakfast day course lecture trip contest market picnic show concert "
              "seminar training walk run festival review dinner auction exhibition rehearsal round").split()
THING_FIRST = ("spare old new big small long heavy blue red green label paper colour water coffee steam hand power garden window floor "
               "carpet bread soup copper glass metal wooden folding electric company office video sound light laser plastic kitchen "
               "night winter summer guest training tea milk travel camera battery").split()
THING_LAST = ("printer projector ladder drill camera scale cart trolley scanner kettle machine lamp saw pump toolbox microphone screen van "
              "tent grill table vacuum cleaner fan heater mixer shredder safe freezer oven stapler bench bicycle press cutter speaker "
              "tripod whiteboard trailer hose compressor toaster locker cabinet shelf").split()
CLUB_FIRST = ("film book card board game photo garden rowing running cooking singing jazz theatre language history debating sewing knitting cycling "
              "hiking football tennis climbing dancing painting pottery coding science travel bird wine").split()
CLUB_LAST = "club group circle team band society league crew round orchestra".split()
SERVICES = ("bakery,kiosk,bistro,tea room,reading room,copy shop,workshop,bicycle repair,barber,car wash,post counter,bus,ferry,shuttle bus,night bus,market stall,food truck,"
            "pool,steam bath,playroom,nursery,music room,tailor,key service,recycling point,tool hire,lost and found,doctor's hour,legal advice,tax advice,savings bank,flower stall,"
            "ticket counter,information desk,cloakroom,left luggage,drinks machine,snack bar,ice rink,bowling alley").split(",")
FOODS = ("soup,cake,salad,bread,pizza,curry,stew,pasta,ice cream,fruit juice,hot chocolate,lemonade,cheese,yoghurt,porridge,rice,fish,pudding,apple pie,sushi,goulash,lasagne,"
         "black tea,cold coffee,supper,brunch,fresh milk,honey,dessert,second breakfast").split(",")
HALLS = ("cold store,greenhouse,server room,warehouse,paint shop,laboratory,boiler room,loading dock,training kitchen,sound studio,dark room,prayer room,museum,vault,attic,orchard,"
         "roof terrace,conference hall,sorting hall,packing hall,drawing office,control room,clean room,waiting room,old mill,boat house,stable,tool shed,print hall,reading hall").split(",")
ROLES = ("cleaners,guards,cooks,fire wardens,ushers,stewards,gardeners,painters,welders,electricians,plumbers,porters,sailors,pilots,tour guides,translators,lifeguards,first aiders,"
         "warehouse workers,night nurses,bus drivers,crane drivers,carpenters,bakers,judges,reporters,volunteers,suppliers,inspectors,lab assistants,helpers,contractors").split(",")
COURSE_FIRST = ("welding first-aid fork-lift safety swimming first-year English Spanish sign-language cooking driving sewing accounting drawing hygiene crane diving "
                "writing rescue leadership hacking chemistry sailing fire-safety data radio").split()
COURSE_LAST = "course class exam certificate training programme seminar".split()
CHECKS = ("lifts,fire doors,boilers,ropes,cranes,vans,pipes,air filters,alarms,cables,tyres,brakes,pumps,gas bottles,hoses,safety nets,scaffolds,goggles,gloves,smoke detectors,"
          "batteries,roof tiles,drains,carpets,mattresses,curtains,kitchen knives,boats,bicycles,trolleys,chairs,desk lamps").split(",")
AIDS = ("a bus ticket,childcare,new spectacles,a language course,a swimming pass,a move to another town,a new bicycle,dental care,a hearing aid,a flu shot,safety shoes,work clothes,"
        "a home printer,a desk at home,museum tickets,a rescue dog,a degree,care for parents,a health check,a sports watch,solar panels,a savings plan,funeral costs,a birth").split(",")
VALUES = "honesty,courage,care,curiosity,fairness,patience,trust,openness,respect,quality,humour,simplicity,speed,kindness,order,teamwork".split(",")
SUFFIXES = ["Labs", "GmbH", "Group", "Works", "Ltd", "Studio", "& Sons", "Partners", "Systems", "Foods", "Tools", "Press", "Energy", "Mills", "Logistics"]


class World:
    """The firm that one sample or one handbook is about. The same seed always makes the same firm."""

    def __init__(self, rng: random.Random, held_out: bool = False):
        self.rng, self.held_out = rng, held_out
        self.names = Names(rng, held_out)
        self.money_format = rng.choice(values.CURRENCIES)
        last = self.names.invented() if held_out or rng.random() < 0.5 else rng.choice(values.LAST)
        self.company = rng.choice([f"{last} {rng.choice(SUFFIXES)}", f"{last} & {rng.choice(values.LAST)}", last])
        self.assistant = self.names.invented(2, 2) if held_out or rng.random() < 0.4 else rng.choice(values.FIRST)
        self.domain = last.lower() + rng.choice([".com", ".example", ".org", ".net", ".eu", ".io"])
        self._entities: dict[str, list[str]] = {}

    def entities(self, slot: str, count: int) -> list[str]:
        """The first `count` entities of a slot; the same ones each time, in an order of their own."""
        known = self._entities.setdefault(slot, [])
        for _ in range(40):
            if len(known) >= count:
                break
            entity = self._entity(slot)
            if entity not in known:
                known.append(entity)
        return known[:count]

    def _entity(self, slot: str) -> str:
        rng, mixed = self.rng, self.rng.random()
        lists = {"team": TEAMS, "topic": TOPICS, "group": GROUPS, "day": values.WEEKDAYS, "country": values.COUNTRIES, "value": VALUES,
                 "service": SERVICES, "food": FOODS, "hall": HALLS, "role": ROLES, "check": CHECKS, "aid": AIDS}
        if slot in lists:
            return rng.choice(lists[slot])
        if slot == "place":
            return self.names.place()
        if slot == "plan":
            return rng.choice(PLANS) if mixed < 0.75 else self.names.invented()
        if slot == "room-name":
            return rng.choice(ROOM_NAMES) if mixed < 0.5 else self.names.invented()
        if slot == "product":
            return self._product()
        pairs = {"event": (EVENT_FIRST, EVENT_LAST), "club": (CLUB_FIRST, CLUB_LAST), "course": (COURSE_FIRST, COURSE_LAST)}
        if slot in pairs:
            return self._pair(*pairs[slot])
        return self._pair(THING_FIRST, THING_LAST)

    def _pair(self, first: list[str], last: list[str]) -> str:
        text = f"{self.rng.choice(first)} {self.rng.choice(last)}"
        return f"{self.names.invented()} {text.split()[1]}" if self.rng.random() < 0.15 else text

    def _product(self) -> str:
        rng, name = self.rng, self.names.invented()
        return rng.choice([name, f"{name} {rng.randint(1, 9) * rng.choice([1, 10, 100])}", f"{name} {rng.choice(THING_LAST)}",
                           f"{name} {rng.choice(['S', 'X', 'Mini', 'Pro', 'Air', 'One', 'XL'])}"])

    def value(self, fact: Fact, yes: bool = True) -> tuple[str, list[str]]:
        """A value for a fact, with the items if it is a list."""
        name, _, rest = fact.spec.partition(" ")
        if name == "list":
            items = self.rng.sample(self.entities(rest, 4), self.rng.randint(2, 4))
            return join(items), items
        if name == "yes":
            return ("Yes" if yes else "No"), []
        return self._plain(name, rest), []

    def _plain(self, name: str, rest: str) -> str:
        rng = self.rng
        if name in ("n", "days", "money"):
            return self._amount(name, rest)
        if name == "pct":
            low, high = map(int, rest.split())
            return f"{rng.randint(low, high)}{rng.choice(['%', '%', ' percent', ' per cent'])}"
        if name == "pick":
            return rng.choice(rest.split(";"))
        if name == "clock":
            return values.clock(rng, *map(int, rest.split()))
        if name == "span":
            return self._span()
        makers = {"length": values.length, "date": values.date, "room": values.room, "spot": values.spot, "phone": values.phone}
        if name in makers:
            return makers[name](rng)
        return self._named(name)

    def _amount(self, name: str, rest: str) -> str:
        rng, (low, high, *unit) = self.rng, rest.split(" ", 2)
        if name == "days":
            return values.counted(rng, int(low), int(high), rng.choice(["days", "days", "days", "working days"]))
        if name == "money":
            return values.money(rng, int(low), int(high), self.money_format) + (" " + unit[0] if unit else "")
        if not unit:
            return str(rng.randint(int(low), int(high)))
        return values.counted(rng, int(low), int(high), rng.choice(unit[0].split(";")))

    def _span(self) -> str:
        rng = self.rng
        start, end = rng.choice([6, 7, 8, 9, 10, 11]), rng.choice([13, 14, 15, 16, 17, 18, 19, 20, 21])
        minutes = lambda: rng.choice([":00", ":30", ":15", ":00"])
        if rng.random() < 0.2:
            return f"{start} am to {end - 12} pm"
        return f"{start}{minutes()} to {end}{minutes()}"

    def _named(self, name: str) -> str:
        rng = self.rng
        if name == "person":
            return self.names.person()
        if name == "place":
            return self.names.place()
        if name == "product":
            return self._product()
        if name == "email":
            box = rng.choice(TOPICS).split()[-1] if rng.random() < 0.6 else self.names.invented().lower()
            return f"{box}@{self.domain}"
        if name == "street":
            return f"{rng.choice(values.STREETS)} {rng.choice(['Street', 'Road', 'Lane', 'Square'])} {rng.randint(1, 199)}"
        if name == "spot-out":
            return rng.choice(["the car park", "the yard", "the fountain", "the bus stop", "the gate", "the flagpole", "the old mill", "the lawn"]) + \
                rng.choice(["", " behind the house", " across the street", " by the river", " next to the station", " in front of the hall"])
        simple = {"weekday": values.WEEKDAYS, "month": values.MONTHS}
        if name in simple:
            return rng.choice(simple[name])
        if name == "monthday":
            day = rng.randint(1, 28)
            ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
            return rng.choice([f"the {day}{ending}", f"the {day}{ending}", "the last day", "the first working day", "the last working day"])
        assert name == "invented", f"no maker for the value {name!r}"
        return self.names.invented()
