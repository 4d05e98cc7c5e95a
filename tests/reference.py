"""What the tests against reference values share: a project with a warehouse of its own, and the comparison of cells."""

import csv
import decimal
import json
import subprocess
import sys

SHOWN_DIFFERENCES = 20
# The reference values hold money to the penny; a few prices are tenths of one.
MONEY = ("monetary_total", "revenue")


class Shop:
    """A project in `folder` with a warehouse of its own; `changed` replaces one text of its pipeline by another."""

    def __init__(self, martlet, data, folder, pipeline, changed=None):
        self.pipeline = f"pipelines/{pipeline}.yaml"
        if changed:
            path = folder / self.pipeline
            text = path.read_text(encoding="utf-8")
            assert text.count(changed[0]) == 1, f"{path} is written in another way"
            path.write_text(text.replace(*changed), encoding="utf-8")
        self.command = [str(martlet), "--project", str(folder), "--raw", str(data)]
        self.command += ["--warehouse", str(folder / "warehouse"), "--work", str(folder / "work")]

    def publish(self, as_of):
        """Publishes a night and returns its report."""
        return json.loads(self.martlet("run", self.pipeline, "--as-of", as_of, "--format", "json", "--quiet"))

    def martlet(self, *arguments):
        ended = subprocess.run([*self.command, *arguments], capture_output=True, encoding="utf-8")
        if ended.returncode != 0:
            sys.exit(f"martlet {arguments[0]} exited with {ended.returncode}\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def query(self, sql):
        return list(csv.DictReader(self.martlet("query", "--format", "csv", sql).splitlines()))


def differences(what, columns, found, expected):
    """Returns one text for each cell that differs, and for each row that only one side has."""
    if not expected:
        return [f"{what}: there is no reference value"]
    texts = [f"{what}: {key} is missing" for key in sorted(expected.keys() - found.keys())]
    texts += [f"{what}: {key} should not be there" for key in sorted(found.keys() - expected.keys())]
    cells = 0
    for key in sorted(expected.keys() & found.keys()):
        for column, is_value, should_be in zip(columns, found[key], expected[key], strict=True):
            cells += 1
            places = 2 if column in MONEY else 6
            if rounded(is_value, places) != rounded(should_be, places):
                texts.append(f"{what}: {column} of {key} is {is_value}, should be {should_be}")
    print(f"{what}: {cells} cells compared")
    return texts


def rounded(text, places):
    """Returns what a text means: a number to so many decimal places, or the text itself."""
    try:
        return round(decimal.Decimal(text), places)
    except decimal.InvalidOperation:
        return text


def judge(different):
    """Ends the program, with 1 and the first differences where there are any."""
    for difference in different[:SHOWN_DIFFERENCES]:
        print(difference)
    if different:
        sys.exit(f"{len(different)} cells differ from the reference values")
    print("every cell equals the reference values")
