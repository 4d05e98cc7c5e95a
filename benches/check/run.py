#!/usr/bin/env python3
"""Times `martlet check` on generated projects and prints what a stage costs.

    python3 benches/check/run.py target/release/martlet [--stages 100] [--rounds 9]

Each stage reads one or two before it, joins, aggregates, and has a contract, four checks and a unit test. Rounds of a
project with one stage and one with all of them alternate, so that whatever else the machine does falls on both; the
medians are compared. Nothing is computed: the pipelines have no data.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

PIPELINE = """version: 1
name: generated
timezone: Asia/Shanghai
currency: CNY
variables: {{ threshold: 10 }}
stages: [sql]
sources:
  orders:
    path: orders/dt={{date}}/*.csv
    format: csv
    columns:
      order_id: {{ type: string, required: true }}
      channel: {{ type: string }}
      placed_at: {{ type: timestamp, required: true }}
      amount: {{ type: "decimal(18,4)" }}
publish: [stage_{last:03}]
"""

FIRST = """SELECT channel, local_date(placed_at) AS day, COUNT(*) AS orders, CAST(SUM(amount) AS DECIMAL(18, 4)) AS amount
FROM orders
WHERE placed_at < $as_of
GROUP BY channel, local_date(placed_at)
"""

NEXT = """WITH ranked AS (
    SELECT channel, day, orders, amount, RANK() OVER (PARTITION BY channel ORDER BY amount DESC) AS place
    FROM stage_{before:03}
)
SELECT
    ranked.channel,
    ranked.day,
    SUM(ranked.orders) + COUNT(*) AS orders,
    CAST(SUM(CASE WHEN ranked.place < $threshold THEN ranked.amount ELSE other.amount END) AS DECIMAL(18, 4)) AS amount
FROM ranked
LEFT JOIN stage_{other:03} AS other ON other.channel = ranked.channel AND other.day = ranked.day
GROUP BY ranked.channel, ranked.day
HAVING COUNT(*) > 0
"""

SIDECAR = """description: A stage that was generated.
columns:
  channel: {{ type: string, description: A channel }}
  day: {{ type: date, description: A day, checks: [{{ not_null: true }}] }}
  orders: {{ type: integer, description: A number, checks: [{{ range: {{ min: 0 }} }}] }}
  amount: {{ type: "decimal(18,4)", description: An amount }}
checks:
  - unique: [channel, day]
  - expression: "orders >= 0 OR amount IS NULL"
tests:
  - name: nothing comes of nothing
    as_of: 2026-01-31
    given: {{ {given}: [] }}
    expect: []
"""


def write(root: pathlib.Path, stages: int) -> None:
    (root / "pipelines").mkdir(parents=True)
    (root / "sql").mkdir()
    (root / "pipelines/generated.yaml").write_text(PIPELINE.format(last=stages - 1))
    for number in range(stages):
        before, other = max(number - 1, 0), number // 2
        sql = FIRST if number == 0 else NEXT.format(before=before, other=other)
        given = "orders" if number == 0 else f"stage_{before:03}"
        (root / f"sql/stage_{number:03}.sql").write_text(sql)
        (root / f"sql/stage_{number:03}.yaml").write_text(SIDECAR.format(given=given))


def check(martlet: pathlib.Path, root: pathlib.Path) -> float:
    begun = time.perf_counter()
    ended = subprocess.run([martlet, "check", "--project", root], capture_output=True, text=True)
    elapsed = time.perf_counter() - begun
    if ended.returncode != 0:
        raise SystemExit(f"martlet check failed:\n{ended.stderr}")
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--stages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    martlet = arguments.martlet.resolve()
    with tempfile.TemporaryDirectory() as folder:
        sizes = [1, 10, arguments.stages]
        roots = {size: pathlib.Path(folder) / str(size) for size in sizes}
        for size, root in roots.items():
            write(root, size)
            check(martlet, root)
        times = {size: [] for size in sizes}
        for _ in range(arguments.rounds):
            for size, root in roots.items():
                times[size].append(check(martlet, root))
    medians = {size: statistics.median(of) for size, of in times.items()}
    for size, median in medians.items():
        print(f"{size:>4} stages {median * 1e3:8.1f} ms")
    each = (medians[arguments.stages] - medians[10]) / (arguments.stages - 10)
    ratio = medians[arguments.stages] / medians[10]
    print(f"each stage {each * 1e3:8.2f} ms; {arguments.stages} take {ratio:.2f} times as long as 10")


if __name__ == "__main__":
    main()
