//! Log lines, in Envoy's log under the component `dynamic_modules`.

use super::abi::{self, Bytes};

/// The target of the `log` crate.
struct HostLog;

impl log::Log for HostLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        abi::host_logs(level(metadata.level()))
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("duo_mfa: {}", record.args());
            abi::host_log(level(record.level()), Bytes::of(line.as_bytes()));
        }
    }

    fn flush(&self) {}
}

const fn level(level: log::Level) -> u32 {
    match level {
        log::Level::Trace => 0,
        log::Level::Debug => 1,
        log::Level::Info => 2,
        log::Level::Warn => 3,
        log::Level::Error => 4,
    }
}

/// Sends log lines to the host. Called once, before anything is logged. The place of a panic is
/// logged, its message is not: it may hold a secret.
pub(super) fn install() {
    if log::set_logger(&HostLog).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            log::error!(
                "a fault of the filter at {place}: its request gets 500; please report this line"
            );
        }));
    }
}
