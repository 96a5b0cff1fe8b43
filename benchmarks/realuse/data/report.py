import csv


def stock_value(path):
    """Return the value of the stock in each category."""
    values = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            values[row["category"]] += row["quantity"] * row["unit_price"]
    return values


def main():
    values = stock_value("inventory.csv")
    for category in sorted(values):
        print(category, round(values[category], 2))
    print("total", round(sum(values), 2))


main()
