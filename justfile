# Lists the recipes.
default:
    @just --list

# Everything CI asks of the code: format, lints, tests.
check:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    cargo test --locked

# Compiles without building.
quick:
    cargo check --all-targets

# Validates the shipped pipelines.
pipelines:
    cargo run -- check

# Runs the sample's last night in a release build.
night:
    cargo run --release -- run pipelines/nightly.yaml --as-of 2026-01-31

# Runs against SeaweedFS and Azurite and reads the tables with DuckDB, Polars, pyarrow, deltalake and pandas.
interop:
    cargo build
    tests/interop/run "${CARGO_TARGET_DIR:-target}/debug/martlet" "${CARGO_TARGET_DIR:-target}/debug/martlet"

# Measures ingest side by side with DuckDB; takes minutes.
bench:
    cargo build --release
    python3 benches/ingest/run.py "${CARGO_TARGET_DIR:-target}/release/martlet"

# Measures a whole night side by side with DuckDB and dbt, and with the least it can cost; takes minutes.
bench-night size="S":
    cargo build --release
    cargo bench --no-run --bench floor
    python3 benches/night/run.py "${CARGO_TARGET_DIR:-target}/release/martlet" --size {{size}} --peers duckdb,dbt,floor \
        --floor "$(ls -t "${CARGO_TARGET_DIR:-target}"/release/deps/floor-* | grep -v '\.d$' | head -1)"

# Measures identity side by side with DuckDB's label propagation; takes minutes.
bench-identity:
    cargo bench --no-run --bench identity
    python3 benches/identity/run.py "$(ls -t "${CARGO_TARGET_DIR:-target}"/release/deps/identity-* | grep -v '\.d$' | head -1)"

# Measures parts of a night by themselves, those whose names hold a text; `just bench-micro clean/`.
bench-micro filter="":
    cargo bench --bench micro -- {{filter}}

# Counts the instructions of the same parts and compares them with what they were; needs valgrind.
bench-instructions *names:
    python3 benches/micro/instructions.py {{names}}

# Takes the snapshots of failed tests as right; look at the difference afterwards.
accept:
    UPDATE_EXPECT=1 INSTA_UPDATE=always cargo test

# Writes the committed sample anew.
sample:
    cargo run --release -- sample --customers 400 --days 120 --last-day 2026-01-30 --activity 75 --seed 2026 --out data/raw

# What CI runs.
ci:
    .ci/run
