"""Files of the everyday tasks: small, with plain names, and at most one thing wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import date, timedelta

import openpyxl

from benchmarks.realuse.generate.shapes import NAMES, Maker, delimited, euros, listed, rng


def workbook(title: str, rows: list[list[object]]) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def staff() -> bytes:
    chance = rng("staff.csv")
    departments = {"Sales": 4100, "Support": 3300, "Research": 5200}
    rows = []
    for name in NAMES:
        department = chance.choice(list(departments))
        rows.append([name, department, departments[department] + chance.randrange(-900, 900)])
    return delimited(["name", "department", "salary"], rows)


def temperatures() -> bytes:
    chance = rng("temperatures.csv")
    means = {"Oslo": 6.1, "Lyon": 12.9, "Bari": 16.2, "Riga": 7.0, "Cork": 10.2}
    rows = []
    for week in range(30):
        day = date(2024, 1, 1) + timedelta(days=7 * week)
        rows += [[day, city, f"{chance.gauss(mean, 3):.1f}"] for city, mean in means.items()]
    return delimited(["date", "city", "celsius"], rows)


def people() -> bytes:
    chance = rng("people.csv")
    rows = []
    for name in NAMES:
        height = chance.gauss(171, 9)
        rows.append([name, f"{height:.1f}", f"{0.9 * height - 86 + chance.gauss(0, 7):.1f}"])
    return delimited(["name", "height", "weight"], rows)


def parcels() -> bytes:
    """One weight is a word, in row 57."""
    chance = rng("parcels.csv")
    rows = [
        [f"P{row:03}", "unknown" if row == 57 else f"{chance.uniform(0.3, 18):.2f}", chance.choice(["air", "road"])]
        for row in range(1, 91)
    ]
    return delimited(["parcel", "weight", "way"], rows)


def donations() -> bytes:
    """The name of the column amount ends with a space."""
    chance = rng("donations.csv")
    rows = [[chance.choice(NAMES), f"{chance.randrange(500, 25000) / 100:.2f}"] for _ in range(70)]
    return delimited(["donor", "amount "], rows)


def joined() -> bytes:
    """Days with hyphens; from row 121 on some have slashes."""
    chance = rng("joined.csv")
    rows = []
    for row in range(400):
        day = date(2021, 1, 1) + timedelta(days=chance.randrange(1090))
        form = "%Y/%m/%d" if row > 120 and chance.random() < 0.2 else "%Y-%m-%d"
        rows.append([1000 + row, day.strftime(form)])
    return delimited(["member", "joined"], rows)


def orders() -> bytes:
    """Two of the later orders have no customer."""
    chance = rng("orders.json")
    rows = []
    for row in range(60):
        customer = {"name": chance.choice(NAMES), "city": chance.choice(["Porto", "Ghent", "Turin"])}
        order = {"id": 300 + row, "customer": customer, "total": chance.randrange(900, 30000) / 100}
        if row in (31, 47):
            del order["customer"]
        rows.append(order)
    return json.dumps(rows, indent=1).encode()


def basket() -> bytes:
    chance = rng("basket.csv")
    return delimited(["product_id", "quantity"], [[chance.randrange(1, 21), chance.randrange(1, 9)] for _ in range(80)])


def catalogue() -> bytes:
    chance = rng("catalogue.csv")
    names = listed(
        "lamp chair table shelf mirror carpet pillow blanket vase clock candle basket stool bench desk "
        "frame plate bowl glass spoon"
    )
    return delimited(
        ["product_id", "name", "price"],
        [[number, name, f"{chance.randrange(290, 19900) / 100:.2f}"] for number, name in enumerate(names, start=1)],
    )


def runners() -> bytes:
    chance = rng("runners.csv")
    return delimited(
        ["runner", "name", "club"],
        [[41 + n, name, chance.choice(["Harriers", "Striders", "Foxes"])] for n, name in enumerate(NAMES)],
    )


def laps() -> bytes:
    chance = rng("laps.csv")
    rows = [[41 + n, lap, f"{chance.gauss(7.4, 0.6):.2f}"] for lap in (1, 2, 3) for n in range(40)]
    return delimited(["runner", "lap", "minutes"], rows)


def members() -> bytes:
    chance = rng("members.csv")
    rows = [[2001 + n, name, chance.choice(["Leeds", "York", "Hull"])] for n, name in enumerate(NAMES)]
    return delimited(["member", "name", "town"], rows)


def fees() -> bytes:
    """Two guests, in rows 62 and 75, have a word for a number."""
    chance = rng("fees.csv")
    rows = [[2001 + chance.randrange(40), f"{chance.randrange(1500, 9000) / 100:.2f}"] for _ in range(90)]
    rows[61][0] = rows[74][0] = "guest"
    return delimited(["member", "amount"], rows)


def sales_by_month() -> bytes:
    chance = rng("months.csv")
    months = listed("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
    return delimited(["month", "sales"], [[month, chance.randrange(12000, 31000)] for month in months])


def planets() -> bytes:
    rows = [
        ["Mercury", 4879, 0],
        ["Venus", 12104, 0],
        ["Earth", 12756, 1],
        ["Mars", 6792, 2],
        ["Jupiter", 142984, 95],
        ["Saturn", 120536, 146],
        ["Uranus", 51118, 28],
        ["Neptune", 49528, 16],
    ]
    return delimited(["name", "diameter", "moons"], rows)


def menu() -> bytes:
    chance = rng("menu.xlsx")
    dishes = listed("soup,salad,pasta,risotto,omelette,fish,curry,stew,pancakes,ice cream", ",")
    rows: list[list[object]] = [["dish", "price", "calories"]]
    rows += [[dish, chance.randrange(350, 1890) / 100, chance.randrange(180, 940)] for dish in dishes]
    return workbook("Menu", rows)


def chat() -> bytes:
    """One JSON object a line."""
    chance = rng("chat.json")
    texts = listed("hello|see you at nine|where is the key|thanks|on my way|call me later|the train is late", "|")
    rows = [
        {"id": number, "author": chance.choice(["Mia", "Tom", "Eva"]), "text": chance.choice(texts)}
        for number in range(1, 41)
    ]
    return ("\n".join(json.dumps(row) for row in rows) + "\n").encode()


def teams() -> bytes:
    chance = rng("teams.csv")
    names = listed("Falcons Bears Comets Rovers United Wolves")
    rows = [[name, chance.randrange(3, 20), chance.randrange(20, 70)] for name in names]
    return delimited(["team", "wins", "goals"], rows)


def scores() -> bytes:
    chance = rng("scores.csv")
    rows = [[name, chance.choice(["red", "blue"]), chance.randrange(100, 990)] for name in NAMES]
    return delimited(["player", "team", "points"], rows)


def letter() -> bytes:
    """Plain words: no hyphens, no apostrophes, no digits."""
    chance = rng("letter.txt")
    words = listed("the river house garden morning letter friend came went saw a green old small and with under over")
    lines = [" ".join(chance.choice(words) for _ in range(chance.randrange(7, 13))) + "." for _ in range(60)]
    return ("\n".join(lines) + "\n").encode()


def notes() -> bytes:
    chance = rng("notes.txt")
    lines = []
    for name in chance.sample(NAMES, 18):
        address = f"{name.split()[0]}.{name.split()[-1]}@{chance.choice(['mail', 'post'])}.example".lower()
        form = chance.choice(["Write to {} about the room.", "{} wants two tickets.", "Asked {} again, no reply yet."])
        lines += [form.format(address), chance.choice(["Buy stamps.", "Nothing new.", "Meeting moved to Friday."])]
    return ("\n".join(lines) + "\n").encode()


def counts() -> bytes:
    """A number a line; an empty line and a comment further down."""
    chance = rng("counts.txt")
    lines = [str(chance.randrange(100, 9000)) for _ in range(120)]
    lines[64], lines[90] = "", "# counted twice"
    return ("\n".join(lines) + "\n").encode()


def books() -> bytes:
    chance = rng("books.xml")
    titles = listed("Harbour,Orchard,Winter,Lighthouse,Border,Island,Summer,Valley,Bridge,Station", ",")
    lines = [
        f"  <book><title>{title} {volume}</title><price>{chance.randrange(699, 4999) / 100:.2f}</price></book>"
        for volume in (1, 2, 3)
        for title in titles
    ]
    return "\n".join(['<?xml version="1.0"?>', "<books>", *lines, "</books>", ""]).encode()


def rides() -> bytes:
    """One fare is a word, in row 83."""
    chance = rng("rides.csv")
    rows = [[row, f"{chance.uniform(1, 24):.1f}", f"{chance.uniform(5, 60):.2f}"] for row in range(1, 131)]
    rows[82][2] = "cash"
    return delimited(["ride", "km", "fare"], rows)


def hotels() -> bytes:
    chance = rng("hotels.csv")
    rows = []
    for number in range(1, 61):
        country = chance.choice(["Spain", "Italy", "France", "Greece"])
        rows.append([f"Hotel {number:02}", country, chance.randrange(20, 300), chance.randrange(48, 260)])
    return delimited(["hotel", "country", "rooms", "price"], rows)


def workers() -> bytes:
    chance = rng("员工.csv")
    rows = []
    for number in range(1, 51):
        department = chance.choice(["销售部", "技术部", "财务部"])
        rows.append([f"员工{number:02}", department, chance.randrange(5200, 18900)])
    return delimited(["姓名", "部门", "工资"], rows)


def marks() -> bytes:
    """In GBK, as a spreadsheet in China saves it."""
    chance = rng("成绩.csv")
    rows = [[f"学生{number:02}", chance.randrange(52, 100), chance.randrange(45, 101)] for number in range(1, 46)]
    return delimited(["姓名", "语文", "数学"], rows, encoding="gbk")


def freezer() -> bytes:
    """With semicolons and decimal commas; one reading is a word, in row 66."""
    chance = rng("messwerte.csv")
    rows = []
    for row in range(1, 101):
        value = "defekt" if row == 66 else euros(chance.randrange(1150, 2790))
        rows.append([(date(2024, 5, 1) + timedelta(days=row)).strftime("%d.%m.%Y"), value])
    return delimited(["Datum", "Wert"], rows, ";")


EVERYDAY: Mapping[str, Maker] = {
    "staff.csv": staff,
    "temperatures.csv": temperatures,
    "people.csv": people,
    "parcels.csv": parcels,
    "donations.csv": donations,
    "joined.csv": joined,
    "orders.json": orders,
    "basket.csv": basket,
    "catalogue.csv": catalogue,
    "runners.csv": runners,
    "laps.csv": laps,
    "members.csv": members,
    "fees.csv": fees,
    "months.csv": sales_by_month,
    "planets.csv": planets,
    "menu.xlsx": menu,
    "chat.json": chat,
    "teams.csv": teams,
    "scores.csv": scores,
    "letter.txt": letter,
    "notes.txt": notes,
    "counts.txt": counts,
    "books.xml": books,
    "rides.csv": rides,
    "hotels.csv": hotels,
    "员工.csv": workers,
    "成绩.csv": marks,
    "messwerte.csv": freezer,
}
