"""Smaller tables, lists and records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

from benchmarks.realuse.generate.shapes import NAMES, Maker, delimited, listed, rng


def rain() -> bytes:
    chance = rng("rain.csv")
    heavy = [3.1, 2.6, 2.4, 1.8, 2.0, 2.2, 1.5, 1.3, 2.1, 3.3, 3.9, 3.6]
    rows = []
    for number in range(366):
        day = date(2024, 1, 1) + timedelta(days=number)
        rows.append([day, f"{chance.expovariate(1 / heavy[day.month - 1]) * (chance.random() < 0.6):.1f}"])
    return delimited(["date", "mm"], rows)


def experiment() -> bytes:
    """Two readings that are no numbers, in rows 36 and 49."""
    chance = rng("experiment.csv")
    rows = []
    for row in range(60):
        voltage = 0.5 + row * 0.2
        current = 1.37 + 2.846 * voltage + chance.gauss(0, 0.8)
        rows.append([f"{voltage:.1f}", {35: "overload", 48: ""}.get(row, f"{current:.3f}")])
    return delimited(["voltage", "current"], rows)


def visits() -> bytes:
    chance = rng("visits.json")
    days = [date(2024, 3, 1) + timedelta(days=number) for number in range(92)]
    rows = [
        {"day": day.isoformat(), "visits": int(300 + 80 * (day.weekday() >= 5) + number + chance.gauss(0, 45))}
        for number, day in enumerate(days)
    ]
    return json.dumps(rows).encode()


def revenue() -> bytes:
    chance = rng("revenue.csv")
    rows = []
    for number in range(240):
        day = date(2024, 1, 1) + timedelta(days=number)
        rows.append([day, f"{chance.uniform(180, 460) + day.month * 21:.2f}"])
    return delimited(["date", "dollars"], rows)


def passengers() -> bytes:
    """Every sixth age is missing or so."""
    chance = rng("passengers.csv")
    fares = {1: 82, 2: 31, 3: 12}
    rows = []
    for row in range(180):
        cabin = chance.choice([1, 2, 3, 3])
        age = "" if row > 4 and chance.random() < 0.17 else max(1, int(chance.gauss(46 - 6 * cabin, 13)))
        fare = f"{fares[cabin] * chance.uniform(0.7, 1.6):.2f}"
        rows.append([f"{NAMES[row % 40]} {'I' * (row // 40 + 1)}", cabin, age, fare])
    return delimited(["name", "class", "age", "fare"], rows)


def books() -> bytes:
    chance = rng("books.csv")
    genres = ["crime", "poetry", "travel", "history"]
    first = listed("The Silent,A Distant,Under the,Letters to the,The Last,Beyond the", ",")
    last = listed("Harbour Orchard Winter Lighthouse Border")
    titles = [f"{start} {end}" for start in first for end in last]
    rows = []
    for title in titles:
        price = f"{chance.randrange(799, 3499) / 100:.2f}"
        rows.append([title, chance.choice(NAMES), chance.randrange(1961, 2024), price, chance.choice(genres)])
    return delimited(["title", "author", "year", "price", "genre"], rows)


def accounts() -> bytes:
    chance = rng("accounts.csv")
    rows = []
    for row in range(48):
        amount = f"{chance.randrange(1250, 98000) / 100:.2f}"
        day = date(2024, 7, 1) + timedelta(days=row)
        rows.append([day, chance.choice(["income", "expense"]), chance.choice(NAMES), amount])
    return delimited(["date", "kind", "partner", "amount"], rows)


def events() -> bytes:
    """One JSON object a line under the name of a JSON file; some people have no city."""
    chance = rng("events.json")
    lines = []
    for row in range(70):
        user = {"name": chance.choice(NAMES), "city": chance.choice(["Oslo", "Lyon", "Bilbao", "Riga"])}
        if row > 20 and chance.random() < 0.2:
            del user["city"]
        lines.append(json.dumps({"id": 7000 + row, "user": user, "amount": chance.randrange(150, 9900) / 100}))
    return ("\n".join(lines) + "\n").encode()


def words() -> bytes:
    """Pairs of words, the second one mistyped."""
    chance = rng("pairs.csv")
    known = listed(
        "harvest lantern mountain kitchen captain window library pepper journey thunder blanket compass "
        "orchard village saddle mirror whisper canyon feather marble"
    )
    rows = []
    for row in range(80):
        right = known[row % 20]
        letters = list(right)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(letters))
            change = chance.choice(["drop", "add", "swap"])
            if change == "drop" and len(letters) > 3:
                del letters[place]
            elif change == "add":
                letters.insert(place, chance.choice("aeiourst"))
            else:
                letters[place] = chance.choice("aeiourst")
        rows.append([right, "".join(letters)])
    return delimited(["right", "typed"], rows)


def items() -> bytes:
    chance = rng("items.csv")
    rows = []
    for row in range(1, 41):
        weight = chance.randrange(23, 79)
        rows.append([f"item{row:02}", weight, weight * 9 + chance.randrange(-70, 70)])
    return delimited(["name", "weight", "value"], rows)


def roads() -> bytes:
    """A ring, cross roads, and a tempting direct one."""
    chance = rng("roads.csv")
    towns = listed(
        "Arden Brook Cliff Dunes Elder Fjord Grove Heath Islet Junip Knoll Lodge Marsh North Oasis Plain "
        "Quarry Ridge Shore Thorn Umber Vale Wharf Yew Zell"
    )
    rows = [[left, right, f"{chance.uniform(9, 40):.1f}"] for left, right in pairwise(towns)]
    for _ in range(38):
        left, right = sorted(chance.sample(range(len(towns)), 2))
        rows.append([towns[left], towns[right], f"{(right - left) * chance.uniform(11, 24):.1f}"])
    rows.append(["Zell", "Arden", "412.5"])
    chance.shuffle(rows)
    return delimited(["from", "to", "km"], rows)


def inventory() -> bytes:
    chance = rng("inventory.csv")
    rows = []
    for row in range(1, 66):
        kind = chance.choice(["garden", "kitchen", "tools"])
        rows.append([f"P{row:03}", kind, chance.randrange(0, 90), f"{chance.randrange(150, 8900) / 100:.2f}"])
    return delimited(["sku", "category", "quantity", "unit_price"], rows)


def readings() -> bytes:
    chance = rng("readings.csv")
    rows = [[f"probe{chance.randrange(1, 9)}", f"{chance.gauss(51.3, 6.2):.3f}"] for _ in range(400)]
    return delimited(["probe", "value"], rows)


def isbns() -> bytes:
    """About half are valid; some have hyphens, some end with X."""
    chance = rng("isbns.txt")
    lines = []
    for row in range(330):
        digits = [chance.randrange(10) for _ in range(9)]
        check = -sum((10 - place) * digit for place, digit in enumerate(digits)) % 11
        if chance.random() < 0.5:
            check = (check + chance.randrange(1, 11)) % 11
        text = "".join(map(str, digits)) + ("X" if check == 10 else str(check))
        hyphens = row > 9 and chance.random() < 0.4
        lines.append(f"{text[0]}-{text[1:5]}-{text[5:9]}-{text[9]}" if hyphens else text)
    return ("\n".join(lines) + "\n").encode()


LISTS: Mapping[str, Maker] = {
    "rain.csv": rain,
    "experiment.csv": experiment,
    "visits.json": visits,
    "revenue.csv": revenue,
    "passengers.csv": passengers,
    "books.csv": books,
    "accounts.csv": accounts,
    "events.json": events,
    "pairs.csv": words,
    "items.csv": items,
    "roads.csv": roads,
    "inventory.csv": inventory,
    "readings.csv": readings,
    "isbns.txt": isbns,
}
