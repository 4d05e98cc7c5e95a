"""Reads `night.sql`: the statements of a night by step, each with what it makes."""

import pathlib
import re
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent


class Statement(NamedTuple):
    step: str
    # `table`, `view` and `mart` make what is named; `run` is run as it is, `python` names a function and its arguments.
    kind: str
    name: str
    sql: str


def statements(raw, file="night.sql"):
    """Returns the statements of a script; `raw` is the folder of the exports."""
    step = ""
    for text in (HERE / file).read_text(encoding="utf-8").split(";\n"):
        for line in re.findall(r"^-- (?:step|python): .*$", text, re.MULTILINE):
            word, value = line[3:].split(": ", 1)
            if word == "step":
                step = value
            else:
                yield Statement(step, "python", value, "")
        sql = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE).strip().replace("{raw}", str(raw))
        named = re.search(r"^-- (table|view|mart): (\w+)$", text, re.MULTILINE)
        if sql:
            yield Statement(step, named[1] if named else "run", named[2] if named else "", sql)
