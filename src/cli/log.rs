//! What the libraries below say, on stderr, for whoever asks for it.

use std::io::{self, Write};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::{Global, LogFormat};
use super::output::without_secrets;

/// Starts the log of this process; without `--verbose` there is none.
pub(super) fn start(global: &Global) {
    let level = match global.verbose {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // Statistics of tables hold values of people, and the Delta libraries tell them in passing.
    let levels = Targets::new().with_default(level).with_targets(
        ["delta_kernel", "deltalake_core"].map(|library| (library, LevelFilter::WARN)),
    );
    let log = tracing_subscriber::fmt::layer().with_writer(|| Redacted);
    match global.log_format {
        LogFormat::Text => tracing_subscriber::registry().with(log.with_filter(levels)).init(),
        LogFormat::Json => {
            tracing_subscriber::registry().with(log.json().with_filter(levels)).init();
        }
    }
}

/// Writes to stderr without the queries of URLs; the log writes an event at once.
struct Redacted;

impl Write for Redacted {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = without_secrets(&String::from_utf8_lossy(event));
        io::stderr().write_all(text.as_bytes()).map(|()| event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
