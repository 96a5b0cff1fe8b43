"""Plausible wrong answers to every task: what a hasty solution finds in the same files."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
from PIL import Image

from benchmarks.realuse.tasks.algorithms import distance

Mistake = Callable[[Path], str]
"""Gets a workspace with the right files, may spoil them, and returns the answer's text."""


def table(folder: Path, name: str, **how: object) -> pd.DataFrame:
    return pd.read_csv(folder / name, **how)


def floats(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def loan_with_yearly_rate(_: Path) -> str:
    payment = 265_000 * 0.0385 / (1 - 1.0385**-25)
    return f"Interest {payment * 25 - 265_000:,.2f}, rest {265_000 - payment * 10:,.2f}"


def orders_without_odd_lines(folder: Path) -> str:
    frame = table(folder, "orders.csv").head(40)
    price = floats(frame["price"].str.replace(r"[$,]", "", regex=True))
    return f"The revenue is ${(price * frame['quantity']).sum():,.2f}"


def orders_without_thousands(folder: Path) -> str:
    frame = table(folder, "orders.csv")
    return f"${(floats(frame['price'].str.strip('$')) * frame['quantity']).sum():,.2f}"


def payments_in_one_form(folder: Path) -> str:
    frame = table(folder, "payments.csv")
    days = pd.to_datetime(frame["date"], format="%d.%m.%Y", errors="coerce")
    return f"{frame['amount'][(days.dt.month == 3) & (days.dt.year == 2024)].sum():.2f}"


def payments_month_first(folder: Path) -> str:
    frame = table(folder, "payments.csv")
    forms = ["%m.%d.%Y", "%d %b %Y", "%b %d, %Y"]
    read = [pd.to_datetime(frame["date"], format=form, errors="coerce") for form in forms]
    days = read[0].fillna(read[1]).fillna(read[2])
    return f"{frame['amount'][days.dt.month == 3].sum():.2f}"


def signups_as_they_stand(folder: Path) -> str:
    return f"There are {table(folder, 'signups.csv')['email'].nunique()} people."


def signups_with_spaces(folder: Path) -> str:
    return str(table(folder, "signups.csv")["email"].str.lower().nunique())


def expenses_of_the_first(folder: Path) -> str:
    totals = table(folder, "expenses.csv").groupby("Department ")["Amount "].sum()
    return f"Most: {totals.max():.2f}, least: {totals.min():.2f}"


def survey_without_bounds(folder: Path) -> str:
    frame = table(folder, "survey.tsv", sep="\t")
    chosen = frame[(frame["age"] > 30) & (frame["age"] < 49)]
    return f"{(chosen['satisfied'] == 'yes').mean() * 100:.2f} %"


def towns_mean_of_densities(folder: Path) -> str:
    frame = table(folder, "towns.csv", encoding="cp1252")
    return f"{(frame['population'] / frame['area_km2']).mean():.2f}"


def weather_last_day(folder: Path) -> str:
    return "29 days, from 2023-04-16"


def weather_all_dry_days(folder: Path) -> str:
    return f"{(table(folder, 'weather.csv')['rain_mm'] == 0).sum()} days, from 2023-03-19"


def guests_counted(folder: Path) -> str:
    orders, people = table(folder, "shop_orders.csv"), table(folder, "customers.csv")
    people["customer_id"] = people["customer_id"].astype(str)
    both = orders.merge(people, on="customer_id", how="left")
    return f"{both.loc[both['country'] == 'DE', 'total'].sum() / both['total'].sum() * 100:.2f} %"


def share_of_orders(folder: Path) -> str:
    orders, people = table(folder, "shop_orders.csv"), table(folder, "customers.csv")
    people["customer_id"] = people["customer_id"].astype(str)
    return f"{(orders.merge(people, on='customer_id')['country'] == 'DE').mean() * 100:.2f} %"


def all_categories(folder: Path) -> str:
    prices = pd.read_excel(folder / "products.xlsx", sheet_name="Prices")
    both = table(folder, "sales.csv").merge(prices, on="sku")
    return f"{(both['units'] * both['price']).sum():.2f}"


def homework_every_try(folder: Path) -> str:
    return f"The mean is {table(folder, 'submissions.csv')['points'].mean():.2f}."


def homework_wrong_list(folder: Path) -> str:
    ids = table(folder, "students.csv")["student_id"]
    (folder / "missing.txt").write_text("\n".join(ids.head(9)))
    best = table(folder, "submissions.csv").groupby("student_id")["points"].max()
    return f"{best.mean():.2f}"


def rain_wettest(folder: Path) -> str:
    frame = table(folder, "rain.csv")
    return f"The wettest month had {frame.groupby(frame['date'].str[:7])['mm'].sum().max():.1f} mm."


def rain_blank_picture(folder: Path) -> str:
    Image.new("RGB", (640, 480), "white").save(folder / "rain.png")
    frame = table(folder, "rain.csv")
    months = frame.groupby(frame["date"].str[:7])["mm"].sum()
    return f"{months.max() - months.min():.1f} mm"


def fit_with_zeros(folder: Path) -> str:
    frame = table(folder, "experiment.csv")
    current = floats(frame["current"]).fillna(0)
    x = frame["voltage"]
    return f"{((x - x.mean()) * (current - current.mean())).sum() / ((x - x.mean()) ** 2).sum():.4f}"


def visits_highest_day(folder: Path) -> str:
    return f"{pd.read_json(folder / 'visits.json')['visits'].max():.2f}"


def visits_partial_windows(folder: Path) -> str:
    return f"{pd.read_json(folder / 'visits.json')['visits'].rolling(8).mean().max():.2f}"


def books_as_text(folder: Path) -> str:
    shelves: dict[str, list[dict[str, str]]] = {}
    for row in table(folder, "books.csv", dtype=str).to_dict("records"):
        shelves.setdefault(row.pop("genre"), []).append(row)
    (folder / "books.json").write_text(json.dumps(shelves))
    return "Done."


def books_flat(folder: Path) -> str:
    table(folder, "books.csv").to_json(folder / "books.json", orient="records")
    return "Done."


def accounts_as_text(folder: Path) -> str:
    book = openpyxl.load_workbook(folder / "accounts.xlsx")
    for sheet in book:
        for (cell,) in sheet.iter_rows(min_row=2, min_col=3, max_col=3):
            cell.value = f"{cell.value:.2f}"
    book.save(folder / "accounts.xlsx")
    return "Done."


def accounts_with_kind(folder: Path) -> str:
    frame = table(folder, "accounts.csv")
    with pd.ExcelWriter(folder / "accounts.xlsx") as writer:
        for kind, part in frame.groupby("kind"):
            part.to_excel(writer, sheet_name=kind, index=False)
    return "Done."


def budget_as_it_stands(folder: Path) -> str:
    pd.read_excel(folder / "budget.xlsx").to_csv(folder / "budget.csv", sep=";", index=False)
    return "Done."


def budget_with_totals(folder: Path) -> str:
    pd.read_excel(folder / "budget.xlsx", header=2).to_csv(folder / "budget.csv", sep=";", index=False)
    return "Done."


def events_with_objects(folder: Path) -> str:
    pd.read_json(folder / "events.json", lines=True).to_csv(folder / "events.csv", index=False)
    return "Done."


def events_with_index(folder: Path) -> str:
    table(folder, "events.csv").to_csv(folder / "events.csv")
    return "Done."


def events_without_the_cityless(folder: Path) -> str:
    table(folder, "events.csv").dropna().to_csv(folder / "events.csv", index=False)
    return "Done."


def log_of_every_status(folder: Path) -> str:
    sizes = re.findall(r'" \d+ (\d+)$', (folder / "access.log").read_text(), re.MULTILINE)
    return f"{sum(map(int, sizes)):,} bytes"


def story_by_spaces(folder: Path) -> str:
    words = (folder / "story.txt").read_text().lower().split()
    word, count = Counter(word for word in words if len(word) >= 8).most_common(1)[0]
    return f"{len(set(words))} words; {word}: {count}"


def codes_in_longer_ones(folder: Path) -> str:
    found = sorted(set(re.findall(r"[A-Z]{2}-\d{4}-[A-Z]", (folder / "mails.txt").read_text())))
    (folder / "codes.txt").write_text("\n".join(found))
    return f"{len(found)} codes"


def codes_unsorted(folder: Path) -> str:
    lines = (folder / "codes.txt").read_text().split()
    random.Random(1).shuffle(lines)
    (folder / "codes.txt").write_text("\n".join(lines))
    return "Done."


def album_without_chance(_: Path) -> str:
    return f"One needs {640 / 5:.0f} packs, or {640 * math.log(640):.0f} stickers."


def distance_by_place(folder: Path) -> str:
    pairs = table(folder, "pairs.csv").values
    return str(sum(abs(len(a) - len(b)) + sum(x != y for x, y in zip(a, b, strict=False)) for a, b in pairs))


def distance_of_first_half(folder: Path) -> str:
    return str(sum(distance(*pair) for pair in table(folder, "pairs.csv").values[:40]))


def greedy_knapsack(folder: Path) -> str:
    frame = table(folder, "items.csv")
    order = (frame["value"] / frame["weight"]).sort_values(ascending=False).index
    room, value = 200, 0
    for _, row in frame.loc[order].iterrows():
        if row["weight"] <= room:
            room, value = room - row["weight"], value + row["value"]
    return f"The best value is {value}."


def one_way_roads(folder: Path) -> str:
    # Along the ring, in the order of the alphabet.
    frame = table(folder, "roads.csv")
    ring = frame[[abs(ord(a[0]) - ord(b[0])) == 1 for a, b in zip(frame["from"], frame["to"], strict=True)]]
    return f"{ring['km'].sum():.1f} km"


def direct_road(_: Path) -> str:
    return "412.5 km"


def averages_not_repaired(_: Path) -> str:
    values = [k * k % 17 for k in range(200)]
    return f"{sum(sum(values[s : s + 8]) / 8 for s in range(192)):.3f}"


def report_not_repaired(folder: Path) -> str:
    (folder / "report_fixed.py").write_bytes((folder / "report.py").read_bytes())
    frame = table(folder, "inventory.csv")
    return f"{(frame['quantity'] * frame['unit_price']).sum():.2f}"


def report_adds_prices(folder: Path) -> str:
    return f"total {table(folder, 'inventory.csv')['unit_price'].sum():.2f}"


def search_of_greater(_: Path) -> str:
    return str(sum(math.isqrt(wanted) for wanted in range(0, 100_000, 37)))


def program_without_deposits(_: Path) -> str:
    return f"{2400 * 1.0365**17:.2f}"


def passengers_by_overall_median(folder: Path) -> str:
    frame = table(folder, "passengers.csv")
    frame["age"] = frame["age"].fillna(frame["age"].median())
    return f"{frame.loc[frame['age'] > frame['age'].mean(), 'fare'].sum():.2f}"


def passengers_dropped(folder: Path) -> str:
    frame = table(folder, "passengers.csv")
    frame[frame["age"] > frame["age"].mean()].to_csv(folder / "older.csv", index=False)
    return f"{frame.loc[frame['age'] > frame['age'].mean(), 'fare'].sum():.2f}"


def still_dollars(folder: Path) -> str:
    frame = table(folder, "revenue.csv")
    months = frame.groupby(frame["date"].str[:7])["dollars"].sum()
    return f"{months.max() - months.min():.2f}"


def divided_by_rate(folder: Path) -> str:
    frame = table(folder, "revenue.csv")
    months = frame.groupby(frame["date"].str[:7])["dollars"].sum() / 0.9137
    return f"{months.max() - months.min():.2f}"


def isbns_without_x(folder: Path) -> str:
    texts = (folder / "isbns.txt").read_text().replace("-", "").split()
    digits = [text for text in texts if text.isdigit()]
    return str(sum(sum((10 - i) * int(d) for i, d in enumerate(text)) % 11 == 0 for text in digits))


def isbns_with_hyphens_refused(folder: Path) -> str:
    texts = [text for text in (folder / "isbns.txt").read_text().split() if "-" not in text]
    values = [[10 if d == "X" else int(d) for d in text] for text in texts]
    return str(sum(sum((10 - i) * v for i, v in enumerate(row)) % 11 == 0 for row in values))


def sales_of_every_city(folder: Path) -> str:
    frame = table(folder, "销售记录.csv")
    return f"{(floats(frame['数量']) * floats(frame['单价'].str.strip('¥'))).sum():.2f}元"


def sales_up_to_the_first_word(folder: Path) -> str:
    frame = table(folder, "销售记录.csv", nrows=35)
    frame = frame[frame["城市"] == "上海"]
    return f"{(frame['数量'].astype(int) * floats(frame['单价'].str.strip('¥'))).sum():.2f}"


def prose_with_marks(folder: Path) -> str:
    text = (folder / "散文.txt").read_text(encoding="gb18030")
    return f"{len(text.replace(chr(10), ''))}个字,“的”出现{text.count('的')}次"


def prose_in_wrong_encoding(folder: Path) -> str:
    text = (folder / "散文.txt").read_bytes().decode("utf-8", "ignore")
    return f"{len(text)}个汉字,“的”{text.count('的')}次"


def every_day(_: Path) -> str:
    return str((date(2031, 11, 5) - date(2019, 3, 1)).days + 1)


def days_without_the_last(_: Path) -> str:
    return str(len(pd.bdate_range("2019-03-01", "2031-11-04")))


def food_with_lost_thousands(folder: Path) -> str:
    frame = table(folder, "haushalt.csv", sep=";", decimal=",")
    amounts = floats(frame["Betrag"].astype(str).str.replace(",", "."))
    food = amounts[frame["Kategorie"] == "Lebensmittel"].sum()
    return f"{food:.2f} Euro, {food / amounts.sum() * 100:.2f} %"


def meter_by_reading(folder: Path) -> str:
    frame = table(folder, "zaehler.csv", sep=";", decimal=",", comment="#")
    return f"{(frame['Stand'].iloc[-1] - frame['Stand'].iloc[0]) / 366:.3f} kWh"


def fines_in_cents(folder: Path) -> str:
    return "Die Summe ist 23051 Cent"


def untrimmed(folder: Path) -> str:
    return f"{table(folder, 'readings.csv')['value'].mean():.3f}"


def trimmed_on_one_side(folder: Path) -> str:
    return f"{table(folder, 'readings.csv')['value'].sort_values().iloc[40:].mean():.3f}"


def says(text: str) -> Mistake:
    return lambda _: text


MISTAKES: dict[str, list[Mistake]] = {
    "digit-sum": [
        says("The sum of the digits is 648."),
        says(f"The sum is {sum(map(int, str(math.factorial(1000))))}."),
    ],
    "primes-sum": [says("348513 primes"), says("The sum is 838596693107"), says("8.39e11, that is 838,596,693")],
    "loan": [loan_with_yearly_rate, says("You pay 148,073.91 of interest, and still owe 116,926.09.")],
    "root-digits": [
        says(f"{math.sqrt(19):.60f}"),
        says("4.358898943540674"),
        says("4.35889894354067355223698198385961565913700392523244493689"),
    ],
    "orders": [orders_without_odd_lines, orders_without_thousands],
    "payments": [payments_in_one_form, payments_month_first],
    "signups": [signups_as_they_stand, signups_with_spaces],
    "expenses": [expenses_of_the_first],
    "survey": [survey_without_bounds],
    "towns": [towns_mean_of_densities],
    "weather": [weather_last_day, weather_all_dry_days],
    "guest-orders": [guests_counted, share_of_orders],
    "sheet-prices": [all_categories],
    "homework": [homework_every_try, homework_wrong_list],
    "rain": [rain_wettest, rain_blank_picture],
    "fit": [fit_with_zeros],
    "visits": [visits_highest_day, visits_partial_windows],
    "books": [books_as_text, books_flat],
    "accounts": [accounts_as_text, accounts_with_kind],
    "budget": [budget_as_it_stands, budget_with_totals],
    "events": [events_with_objects, events_with_index, events_without_the_cityless],
    "access-log": [log_of_every_status],
    "story": [story_by_spaces],
    "order-codes": [codes_in_longer_ones, codes_unsorted],
    "five-dice": [says("In 19.29 % of the throws"), says("0.2315"), says("about one in five, 20 %")],
    "album": [album_without_chance],
    "edit-distance": [distance_by_place, distance_of_first_half],
    "knapsack": [greedy_knapsack],
    "shortest-way": [one_way_roads, direct_road],
    "moving-average": [averages_not_repaired],
    "crashing-report": [report_not_repaired, report_adds_prices],
    "endless-search": [search_of_greater],
    "asking-program": [program_without_deposits],
    "passengers": [passengers_by_overall_median, passengers_dropped],
    "euros": [still_dollars, divided_by_rate],
    "isbns": [isbns_without_x, isbns_with_hyphens_refused],
    "chinese-sales": [sales_of_every_city, sales_up_to_the_first_word],
    "chinese-prose": [prose_with_marks, prose_in_wrong_encoding],
    "chinese-workdays": [every_day, days_without_the_last],
    "german-household": [food_with_lost_thousands],
    "german-meter": [meter_by_reading],
    "library": [fines_in_cents],
    "polars": [untrimmed, trimmed_on_one_side],
}
