"""Plausible wrong answers to the everyday tasks, and first attempts that stop with an error, with their repairs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

from benchmarks.realuse.tasks.everyday import programs

Mistake = Callable[[Path], str]


def says(*texts: str) -> list[Mistake]:
    return [lambda _, text=text: text for text in texts]


def writes(name: str, content: str) -> Mistake:
    def mistake(folder: Path) -> str:
        (folder / name).write_text(content)
        return "Done."

    return mistake


def blank(name: str) -> Mistake:
    def mistake(folder: Path) -> str:
        Image.new("RGB", (640, 480), "white").save(folder / name)
        return "Done: the mean is 7.418."

    return mistake


def unchanged(source: str, target: str) -> Mistake:
    def mistake(folder: Path) -> str:
        shutil.copy(folder / source, folder / target)
        return "Done."

    return mistake


def planets_by_column(folder: Path) -> str:
    (folder / "planets.json").write_text(pd.read_csv(folder / "planets.csv").to_json())
    return "Done."


def planets_as_text(folder: Path) -> str:
    rows = pd.read_csv(folder / "planets.csv", dtype=str).to_dict("records")
    (folder / "planets.json").write_text(json.dumps(rows))
    return "Done."


def menu_with_index(folder: Path) -> str:
    pd.read_excel(folder / "menu.xlsx").to_csv(folder / "menu.csv")
    return "Done."


def addresses_as_found(folder: Path) -> str:
    lines = (folder / "addresses.txt").read_text().splitlines()
    (folder / "addresses.txt").write_text("\n".join(lines[::-1]))
    return "Done."


def hotels_of_every_country(folder: Path) -> str:
    pd.read_csv(folder / "hotels.csv").to_csv(folder / "spain.csv", index=False)
    return "Done."


def hotels_without_rooms(folder: Path) -> str:
    frame = pd.read_csv(folder / "spain.csv")
    frame.drop(columns="rooms").to_csv(folder / "spain.csv", index=False)
    return "Done."


def chat_with_index(folder: Path) -> str:
    pd.read_json(folder / "chat.json", lines=True).to_csv(folder / "chat.csv")
    return "Done."


def value(expression: Callable[[Path], float], form: str = "{:.3f}") -> Mistake:
    return lambda folder: form.format(expression(folder))


MISTAKES: dict[str, list[Mistake]] = {
    "everyday-power": says("It is 1.427247692705959e+45", str(2**150 + 3**60)),
    "everyday-savings": says(f"{7350 * (1 + 0.0285 * 14):.2f}", f"{7350 * 1.0285**13:.2f}"),
    "everyday-days": says("14080", "14078"),
    "everyday-staff": [value(lambda f: pd.read_csv(f / "staff.csv")["salary"].median())],
    "everyday-temperatures": [
        value(lambda f: pd.read_csv(f / "temperatures.csv")["celsius"].max(), "Bari {:.2f}"),
        *says("Lyon 16.21"),
    ],
    "everyday-heights": [value(lambda f: pd.read_csv(f / "people.csv")["height"].mean())],
    "everyday-basket": [value(lambda f: pd.read_csv(f / "catalogue.csv")["price"].sum())],
    "everyday-laps": [value(lambda f: pd.read_csv(f / "laps.csv")["minutes"].mean())],
    "everyday-histogram": [blank("laps.png"), *says("The mean is 7.36")],
    "everyday-months": [blank("months.png")],
    "everyday-planets": [planets_by_column, planets_as_text],
    "everyday-menu": [menu_with_index],
    "everyday-letter": [value(lambda f: len((f / "letter.txt").read_text()), "{}"), *says("There are 60 lines")],
    "everyday-notes": [addresses_as_found, writes("addresses.txt", "")],
    "everyday-three-dice": says("4.63 %", "9.72 %", "13.89 %"),
    "everyday-palindromes": says("1099", "1089"),
    "everyday-rooms": says("There are 60 hotels.", "9321"),
    "everyday-italy": [value(lambda f: pd.read_csv(f / "hotels.csv")["price"].mean())],
    "everyday-points": [value(lambda f: pd.read_csv(f / "scores.csv")["points"].sum(), "{}")],
    "everyday-dearest": [value(lambda f: pd.read_csv(f / "catalogue.csv")["price"].max(), "{:.2f}"), *says("vase")],
    "everyday-average-month": [value(lambda f: pd.read_csv(f / "months.csv")["sales"].median())],
    "everyday-distance": [value(lambda f: pd.read_csv(f / "rides.csv")["km"].mean())],
    "everyday-foxes": [value(lambda f: pd.read_csv(f / "laps.csv")["minutes"].sum())],
    "everyday-scatter": [blank("people.png")],
    "everyday-semicolons": [unchanged("hotels.csv", "semicolons.csv")],
    "everyday-sorted": [unchanged("planets.csv", "sorted.csv")],
    "everyday-wages": [value(lambda f: pd.read_csv(f / "员工.csv")["工资"].mean())],
    "everyday-parcels": [
        value(lambda f: pd.to_numeric(pd.read_csv(f / "parcels.csv")["weight"], errors="coerce").fillna(0).mean())
    ],
    "everyday-donations": [value(lambda f: pd.read_csv(f / "donations.csv")["amount "].head(5).sum())],
    "everyday-joined": [
        value(
            lambda f: (pd.to_datetime(pd.read_csv(f / "joined.csv")["joined"], errors="coerce").dt.year == 2022).sum(),
            "{}",
        )
    ],
    "everyday-orders": [
        value(lambda f: sum(row["total"] for row in json.loads((f / "orders.json").read_text())), "{:.2f}")
    ],
    "everyday-fees": [value(lambda f: pd.read_csv(f / "fees.csv")["amount"].sum(), "{:.2f}")],
    "everyday-counts": [
        value(lambda f: sum(map(int, (f / "counts.txt").read_text().split("\n")[:64])), "{}"),
    ],
    "everyday-books": says("The mean is 25.00"),
    "everyday-chat": [chat_with_index, unchanged("chat.json", "chat.csv")],
    "everyday-teams": [
        unchanged("teams.csv", "teams.md"),
        writes("teams.md", "| team | wins | goals |\n|---|---|---|\n"),
    ],
    "everyday-append": says("723.1667", "The mean is 604.6"),
    "everyday-steps": says("1544", "IndexError: list index out of range"),
    "everyday-triangle": says("76193340", "76199512"),
    "everyday-style": [blank("regions.png")],
    "everyday-german-code": says("Die Summe ist 1618,35", "1.618,35 Euro"),
    "everyday-primes": says("There are 430 primes.", "593824"),
    "everyday-balance": says(f"{2500 * (1 + 0.031 * 18):.2f}", f"{2500 * 4.1**18:.2f}"),
    "everyday-rides": [
        value(lambda f: pd.to_numeric(pd.read_csv(f / "rides.csv")["fare"], errors="coerce").fillna(0).mean()),
        *says("There are 130 rides."),
    ],
    "everyday-hotels": [hotels_of_every_country, hotels_without_rooms],
    "everyday-multiples": says("一共有1176个", "11765300"),
    "everyday-workers": [value(lambda f: pd.read_csv(f / "员工.csv")["工资"].mean())],
    "everyday-marks": [value(lambda f: pd.read_csv(f / "成绩.csv", encoding="gbk")["语文"].mean())],
    "everyday-squares": says("Die Summe ist 761995", "625599129"),
    "everyday-measurements": [
        value(
            lambda f: (
                pd.to_numeric(pd.read_csv(f / "messwerte.csv", sep=";")["Wert"].str.replace(",", "."), errors="coerce")
                .fillna(0)
                .mean()
            )
        )
    ],
}

ATTEMPTS: dict[str, tuple[str, type[Exception], dict[str, str]]] = {
    "everyday-parcels": (
        'import pandas as pd\nprint(pd.read_csv("parcels.csv")["weight"].mean())',
        TypeError,
        {'pd.read_csv("parcels.csv")["weight"]': 'pd.to_numeric(pd.read_csv("parcels.csv")["weight"], "coerce")'},
    ),
    "everyday-donations": (
        'import pandas as pd\nprint(pd.read_csv("donations.csv")["amount"].sum())',
        KeyError,
        {'"amount"': '"amount "'},
    ),
    "everyday-joined": (
        'import pandas as pd\nprint((pd.to_datetime(pd.read_csv("joined.csv")["joined"]).dt.year == 2022).sum())',
        ValueError,
        {'["joined"])': '["joined"], format="mixed")'},
    ),
    "everyday-orders": (
        "import json\n"
        'orders = json.load(open("orders.json"))\n'
        'print(sum(o["total"] for o in orders if o["customer"]["city"] == "Porto"))',
        KeyError,
        {'o["customer"]["city"]': 'o.get("customer", {}).get("city")'},
    ),
    "everyday-fees": (
        "import pandas as pd\n"
        'both = pd.read_csv("fees.csv").merge(pd.read_csv("members.csv"), on="member")\n'
        'print(both[both["town"] == "Leeds"]["amount"].sum())',
        ValueError,
        {'"members.csv")': '"members.csv").astype({"member": str})'},
    ),
    "everyday-counts": (
        'print(sum(int(line) for line in open("counts.txt")))',
        ValueError,
        {'open("counts.txt"))': 'open("counts.txt") if line.strip().isdigit())'},
    ),
    "everyday-books": (
        'import pandas as pd\nprint(pd.read_xml("books.xml")["price"].mean())',
        ImportError,
        {'"books.xml"': '"books.xml", parser="etree"'},
    ),
    "everyday-chat": (
        'import pandas as pd\npd.read_json("chat.json").to_csv("chat.csv", index=False)',
        ValueError,
        {'"chat.json"': '"chat.json", lines=True'},
    ),
    "everyday-teams": (
        'import pandas as pd\npd.read_csv("teams.csv").to_markdown("teams.md", index=False)',
        ImportError,
        {
            'pd.read_csv("teams.csv").to_markdown("teams.md", index=False)': (
                'df = pd.read_csv("teams.csv")\n'
                'lines = ["| " + " | ".join(map(str, row)) + " |" for row in [df.columns, ["---"] * 3, *df.values]]\n'
                'open("teams.md", "w").write("\\n".join(lines))'
            )
        },
    ),
    "everyday-append": (
        programs.APPEND,
        AttributeError,
        {
            'costs.append({"item": "desk", "cost": 1249.0}, ignore_index=True)': (
                'pd.concat([costs, pd.DataFrame([{"item": "desk", "cost": 1249.0}])])'
            )
        },
    ),
    "everyday-steps": (programs.STEPS, IndexError, {"range(len(values))": "range(len(values) - 1)"}),
    "everyday-triangle": (programs.TRIANGLE, AssertionError, {"range(n)": "range(n + 1)"}),
    "everyday-style": (programs.STYLE, OSError, {'plt.style.use("seaborn")\n': ""}),
    "everyday-german-code": (programs.GERMAN, TypeError, {"+ summe": "+ str(summe)"}),
    "everyday-rides": (
        'import pandas as pd\nprint(pd.read_csv("rides.csv")["fare"].mean())',
        TypeError,
        {'pd.read_csv("rides.csv")["fare"]': 'pd.to_numeric(pd.read_csv("rides.csv")["fare"], "coerce")'},
    ),
    "everyday-marks": (
        'import pandas as pd\nprint(pd.read_csv("成绩.csv")["数学"].mean())',
        UnicodeDecodeError,
        {'"成绩.csv"': '"成绩.csv", encoding="gbk"'},
    ),
    "everyday-measurements": (
        'import pandas as pd\nprint(pd.read_csv("messwerte.csv", sep=";", decimal=",")["Wert"].mean())',
        TypeError,
        {'decimal=","': 'decimal=",", na_values=["defekt"]'},
    ),
}
"""Task → an obvious first attempt, the error that it stops with, and the short change that mends it."""
