//! A Temporal server of one's own, worker processes, and small things that tests wait for.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod functions;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod workers;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take before the test says that it never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `is` holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "this does not come true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A folder for the files of one test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn has(&self, name: &str, content: &str) -> bool {
        std::fs::read_to_string(self.path(name)).is_ok_and(|text| text == content)
    }

    pub(crate) fn lines(&self, name: &str) -> usize {
        std::fs::read_to_string(self.path(name)).map_or(0, |text| text.lines().count())
    }
}

/// A name that no other test has used, on a server that several share.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4())
}
