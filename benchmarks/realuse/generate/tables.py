"""Tables with the dirt of real ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from benchmarks.realuse.generate.shapes import NAMES, Maker, delimited, dollars, euros, listed, rng


def orders() -> bytes:
    """Prices as text; unusable ones and a quantity that is not there from row 41 on."""
    chance = rng("orders.csv")
    products = {"desk lamp": 4590, "office chair": 23900, "standing desk": 124900, "monitor arm": 8750, "rug": 31425}
    odd = {41: "on request", 58: "", 77: "on request", 93: "-"}
    rows = []
    for row in range(1, 121):
        product, price = chance.choice(list(products.items()))
        price += chance.randrange(-12, 13) * 25
        quantity = "" if row == 66 else chance.randrange(1, 9)
        day = date(2024, 1, 2) + timedelta(days=row * 2)
        rows.append([5200 + row, day, product, quantity, odd.get(row, dollars(price))])
    return delimited(["order_id", "date", "product", "quantity", "price"], rows)


def payments() -> bytes:
    """Days in one form for sixty rows, then in three."""
    chance = rng("payments.csv")
    rows = []
    for row in range(160):
        day = date(2024, 1, 1) + timedelta(days=chance.randrange(150))
        form = "%d.%m.%Y" if row < 60 else chance.choice(["%d.%m.%Y", "%d %b %Y", "%b %d, %Y"])
        rows.append([day.strftime(form), chance.choice(NAMES), f"{chance.randrange(1500, 95000) / 100:.2f}"])
    return delimited(["date", "payer", "amount"], rows)


def signups() -> bytes:
    """The same people again, with other capitals and stray spaces."""
    chance = rng("signups.csv")
    cities = ["Porto", "Leeds", "Gdansk", "Turin", "Ghent"]
    people = [f"{name.split()[0]}.{name.split()[-1]}{number}".lower() for number in range(7) for name in NAMES]
    rows = []
    for row, person in enumerate(people):
        email = f"{person}@{chance.choice(['mail.example', 'post.example'])}"
        rows.append([person.split(".")[0].title(), email, chance.choice(cities)])
        if row > 12 and chance.random() < 0.3:
            again = chance.choice([email, email.title(), email.upper(), f" {email}", f"{email} "])
            rows.append([person.split(".")[0].title(), again, chance.choice(cities)])
    head, tail = rows[:12], rows[12:]
    chance.shuffle(tail)
    return delimited(["name", "email", "city"], head + tail)


def expenses() -> bytes:
    """Two column names end with a space."""
    chance = rng("expenses.csv")
    departments = {"Marketing": 420, "Research": 610, "Sales": 530, "Support": 240}
    rows = []
    for row in range(140):
        department = chance.choice(list(departments))
        amount = departments[department] * chance.uniform(0.2, 1.9)
        day = date(2024, 4, 1) + timedelta(days=row // 2)
        rows.append([day, department, chance.choice(NAMES), f"{amount:.2f}"])
    return delimited(["Date", "Department ", "Employee", "Amount "], rows)


def survey() -> bytes:
    """Nothing odd."""
    chance = rng("survey.tsv")
    rows = []
    for number in range(1, 254):
        age = chance.randrange(18, 80)
        satisfied = "yes" if chance.random() < 0.35 + age / 200 else "no"
        rows.append([number, age, chance.choice(["north", "south", "east", "west"]), satisfied])
    return delimited(["id", "age", "region", "satisfied"], rows, separator="\t")


def towns() -> bytes:
    """Written by an old spreadsheet program: not UTF-8, which shows from row 31 on."""
    chance = rng("towns.csv")
    plain = listed("Adlersberg Birkenau Dornfeld Eichwald Falkenstein Grauburg Hohenfeld Ilmstadt Kaltenbach Lindental")
    special = listed("Öhringen Grünwald Schönau Bärenstein Übersee Mühlheim Königsau Weißenfels Süderholz Ährental")
    ends = ["", " am See", " im Tal", " an der Au"]
    names = [name + end for end in ends for name in plain] + [name + end for end in ends[:3] for name in special]
    names = names[:30] + chance.sample(names[30:], len(names) - 30)
    rows = [[name, chance.randrange(3200, 88000), f"{chance.uniform(9, 160):.1f}"] for name in names]
    return delimited(["name", "population", "area_km2"], rows, encoding="cp1252")


def weather() -> bytes:
    """A year of days."""
    chance = rng("weather.csv, the second")
    rows = []
    dry = 0
    for number in range(365):
        wet = chance.random() < (0.16 if dry else 0.45)
        dry = 0 if wet else dry + 1
        rain = f"{chance.expovariate(1 / 5) + 0.1:.1f}" if wet else "0.0"
        day = date(2023, 1, 1) + timedelta(days=number)
        rows.append([day, rain, f"{chance.gauss(12, 6):.1f}"])
    return delimited(["date", "rain_mm", "temp_max"], rows)


def customers() -> bytes:
    chance = rng("customers.csv")
    countries = ["DE", "DE", "FR", "IT", "NL"]
    rows = [[1001 + number, name, chance.choice(countries)] for number, name in enumerate(NAMES)]
    return delimited(["customer_id", "name", "country"], rows)


def shop_orders() -> bytes:
    """Guests have a word where the others have their number, from row 45 on."""
    chance = rng("shop_orders.csv")
    rows = []
    for row in range(1, 211):
        guest = row >= 45 and chance.random() < 0.1
        customer = "guest" if guest else 1001 + chance.randrange(len(NAMES))
        rows.append([88000 + row, customer, f"{chance.randrange(900, 42000) / 100:.2f}"])
    return delimited(["order_id", "customer_id", "total"], rows)


def students() -> bytes:
    chance = rng("students.csv")
    rows = [[f"S{number:03}", name, chance.choice("ABC")] for number, name in enumerate(NAMES, start=101)]
    return delimited(["student_id", "name", "group"], rows)


def submissions() -> bytes:
    """Some hand in twice, nine never do."""
    chance = rng("submissions.csv")
    ids = [f"S{number:03}" for number in range(101, 101 + len(NAMES))]
    handed_in = chance.sample(ids, len(ids) - 9)
    rows = []
    for student in handed_in + chance.sample(handed_in, 8):
        day = date(2024, 5, 2) + timedelta(days=chance.randrange(12))
        rows.append([student, day, chance.randrange(21, 51)])
    rows.sort(key=lambda row: str(row[1]))
    return delimited(["student_id", "submitted", "points"], rows)


def household() -> bytes:
    """A German bank's export: byte order mark, semicolons, decimal commas, points between thousands."""
    chance = rng("haushalt.csv")
    kinds = {"Lebensmittel": 6800, "Miete": 118000, "Freizeit": 5200, "Kleidung": 8900, "Fahrten": 4400}
    rows = []
    for row in range(150):
        kind = "Miete" if row % 12 == 9 else chance.choice([kind for kind in kinds if kind != "Miete"])
        cents = kinds[kind] if kind == "Miete" else int(kinds[kind] * chance.uniform(0.3, 2.2))
        if row in (47, 103):
            kind, cents = "Freizeit", 123450 + row * 71
        day = date(2024, 1, 1) + timedelta(days=row * 365 // 150)
        rows.append([day.strftime("%d.%m.%Y"), kind, euros(cents)])
    return delimited(["Datum", "Kategorie", "Betrag"], rows, separator=";", encoding="utf-8-sig")


def meter() -> bytes:
    """Comments above the header; one reading a week."""
    chance = rng("zaehler.csv")
    rows = []
    reading = 2148210
    for week in range(53):
        day = date(2023, 12, 31) + timedelta(days=7 * week)
        rows.append([day.strftime("%d.%m.%Y"), f"{reading // 100},{reading % 100:02}"])
        reading += chance.randrange(3900, 8800)
    before = "# Export Smartmeter 4711\n# Standort: Keller\n# Einheit: kWh\n"
    return delimited(["Datum", "Stand"], rows, separator=";", before=before)


def chinese_sales() -> bytes:
    """Prices with a sign, and words where a number was due, from row 36 on."""
    chance = rng("销售记录.csv")
    products = {"茶杯": 3950, "台灯": 12850, "键盘": 26900, "雨伞": 5880}
    rows = []
    for row in range(150):
        product, price = chance.choice(list(products.items()))
        price += chance.randrange(-5, 6) * 30
        quantity = "缺货" if row in (36, 71, 112) else chance.randrange(1, 30)
        day = date(2024, 1, 1) + timedelta(days=row)
        rows.append([day, chance.choice(["上海", "北京", "广州"]), product, quantity, f"¥{price / 100:.2f}"])
    return delimited(["日期", "城市", "产品", "数量", "单价"], rows)


TABLES: Mapping[str, Maker] = {
    "orders.csv": orders,
    "payments.csv": payments,
    "signups.csv": signups,
    "expenses.csv": expenses,
    "survey.tsv": survey,
    "towns.csv": towns,
    "weather.csv": weather,
    "customers.csv": customers,
    "shop_orders.csv": shop_orders,
    "students.csv": students,
    "submissions.csv": submissions,
    "haushalt.csv": household,
    "zaehler.csv": meter,
    "销售记录.csv": chinese_sales,
}
