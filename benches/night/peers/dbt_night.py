"""A night as a dbt-duckdb project: `dbt_night.py RAW OUT THREADS`.

The models are the statements of `night.sql`, one each; tables stay in a database file, marts are written to Parquet.
Prints one JSON object with the seconds that the models of each step took, which run beside each other.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from script import statements  # noqa: E402

PYTHON_MODEL = """import sys
sys.path.insert(0, {here!r})
sys.path.insert(0, {peers!r})


def model(dbt, session):
    dbt.config(materialized="table")
"""
COMPONENTS = PYTHON_MODEL + """    from duckdb_night import components
    dbt.ref("{links}")
    components(session, "{links}", "{labels}_made")
    return session.table("{labels}_made")
"""
COMPUTED = PYTHON_MODEL + """    from duckdb_night import add_{name}
    dbt.ref("{reads}")
    session.execute("DROP TABLE IF EXISTS {name}_made")
    add_{name}(session, "{name}_made")
    return session.table("{name}_made")
"""
# What Python computes, and the model it reads.
READS = {"removal_effects": "transitions", "revenue_intervals": "resampled"}


def write_project(raw, out, threads):
    """Writes the project; returns the step of each model."""
    models = out / "models"
    models.mkdir(parents=True)
    script = [statement for statement in statements(raw) if not statement.sql.startswith("DROP")]
    names = {statement.name for statement in script if statement.kind in ("table", "view")} | READS.keys()
    names |= {statement.name.split()[2] for statement in script if statement.name.startswith("components")}
    macros, steps = [], {}
    for statement in script:
        if statement.kind == "run":
            macros.append(statement.sql.replace("CREATE MACRO", "CREATE OR REPLACE MACRO"))
            continue
        name, text = model(statement, names, out)
        (models / name).write_text(text, encoding="utf-8")
        steps[name.split(".")[0]] = statement.step
    map_model = f"{{{{ config(materialized='external', location='{out}/clean_identity_map.parquet') }}}}\nFROM {{{{ ref('identity_map') }}}}"
    (models / "clean_identity_map.sql").write_text(map_model, encoding="utf-8")
    steps["clean_identity_map"] = "identity"
    (out / "dbt_project.yml").write_text(json.dumps({
        "name": "night", "version": "1.0", "profile": "night", "model-paths": ["models"], "on-run-start": macros,
        "flags": {"send_anonymous_usage_stats": False},
    }))
    settings = {"threads": threads, "preserve_insertion_order": False, "TimeZone": "Asia/Shanghai", "temp_directory": str(out / "spill")}
    target = {"type": "duckdb", "path": str(out / "night.duckdb"), "threads": threads, "settings": settings}
    (out / "profiles.yml").write_text(json.dumps({"night": {"target": "night", "outputs": {"night": target}}}))
    return steps


def model(statement, names, out):
    """Returns the file of a model and what it holds."""
    folders = {"here": str(HERE.parent), "peers": str(HERE)}
    match statement.name.split():
        case ["components", links, labels]:
            return f"{labels}.py", COMPONENTS.format(links=links, labels=labels, **folders)
        case [name] if name in READS:
            return f"{name}.py", COMPUTED.format(name=name, reads=READS[name], **folders)
    own = set(re.findall(r"(\w+) AS \(", statement.sql)) | {statement.name}
    refer = lambda found: f"{found[1]}{{{{ ref('{found[2]}') }}}}" if found[2] in names - own else found[0]  # noqa: E731
    sql = re.sub(r"(\b(?:FROM|JOIN)\s+)(\w+)\b(?!\()", refer, statement.sql)
    config = f"materialized='{statement.kind}'"
    if statement.kind == "mart":
        config = f"materialized='external', location='{out}/{statement.name}.parquet', options={{'compression': 'zstd'}}"
    # An alias must follow a reference, as the relation's name has a database before it.
    return f"{statement.name}.sql", f"{{{{ config({config}) }}}}\n{sql}"


def main(raw, out, threads):
    steps = write_project(raw, out, threads)
    dbt = [pathlib.Path(sys.executable).parent / "dbt", "run", "--project-dir", out, "--profiles-dir", out, "--no-partial-parse", "--no-use-colors"]
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_NO_VERSION_CHECK": "1", "DO_NOT_TRACK": "1"}
    ended = subprocess.run(list(map(str, dbt)), stdout=sys.stderr, env=environment)
    if ended.returncode != 0:
        sys.exit(ended.returncode)
    seconds = {}
    for result in json.loads((out / "target" / "run_results.json").read_text())["results"]:
        step = steps.get(result["unique_id"].split(".")[-1])
        if step:
            seconds[step] = round(seconds.get(step, 0) + result["execution_time"], 3)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]))
