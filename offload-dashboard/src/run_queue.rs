//! How many threads of a pool are ready to run and wait for a core: on Linux, by the scheduler's statistics of each thread.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What was read last: when, and of each thread for how long it had waited.
#[derive(Debug, Default)]
pub(crate) struct RunQueue {
    last: Option<(Instant, HashMap<String, Thread>)>,
}

#[derive(Debug)]
struct Thread {
    name: String,
    waited: Duration,
}

/// Linux keeps no more of a thread's name.
const NAME: usize = 15;

impl RunQueue {
    /// Reads the threads of this process. Returns for each of `names` how many threads whose names begin with it waited for a core, on average since
    /// the call before. `None` at the first call, and where the system does not tell.
    pub(crate) fn read(&mut self, names: &[Option<String>]) -> Vec<Option<f64>> {
        let (now, threads) = (Instant::now(), threads());
        let before = self.last.take().filter(|(_, threads)| !threads.is_empty());
        let waiting = |name: &Option<String>| {
            let (then, before) = before.as_ref()?;
            let start: String = format!("{}-", name.as_ref()?).chars().take(NAME).collect();
            Some(average(&start, before, &threads, now.duration_since(*then)))
        };
        let waiting = names.iter().map(waiting).collect();
        self.last = Some((now, threads));
        waiting
    }
}

/// How many of the threads whose names begin with `start` waited, on average over `elapsed`.
///
/// The system counts a wait when it ends. One that began before counts for `elapsed` only, so that no thread counts for more than one.
fn average(start: &str, before: &HashMap<String, Thread>, now: &HashMap<String, Thread>, elapsed: Duration) -> f64 {
    let elapsed = elapsed.max(Duration::from_millis(1));
    let waited = now.iter().filter(|(_, thread)| thread.name.starts_with(start)).map(|(id, thread)| {
        let known = before.get(id).map_or(Duration::ZERO, |known| known.waited);
        thread.waited.saturating_sub(known).min(elapsed).as_secs_f64()
    });
    waited.sum::<f64>() / elapsed.as_secs_f64()
}

/// The threads of this process by their ids.
#[cfg(target_os = "linux")]
fn threads() -> HashMap<String, Thread> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return HashMap::new() };
    let read = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?.trim_end().to_owned();
        // Nanoseconds on a core, nanoseconds that it waited for one, and the number of its turns.
        let statistics = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let waited = Duration::from_nanos(statistics.split_ascii_whitespace().nth(1)?.parse().ok()?);
        Some((task.file_name().into_string().ok()?, Thread { name, waited }))
    };
    tasks.filter_map(Result::ok).filter_map(read).collect()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> HashMap<String, Thread> {
    HashMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(all: &[(&str, &str, u64)]) -> HashMap<String, Thread> {
        let thread = |&(id, name, ms): &(&str, &str, u64)| {
            (id.to_owned(), Thread { name: name.to_owned(), waited: Duration::from_millis(ms) })
        };
        all.iter().map(thread).collect()
    }

    #[test]
    fn a_thread_counts_for_one_at_most_however_long_its_wait_was() {
        let before = threads(&[("1", "cpu-0", 100), ("2", "cpu-1", 0), ("4", "db-0", 0)]);
        // The first waited for half of the time. The wait of the second ended, and began long before. The third is new.
        let now = threads(&[("1", "cpu-0", 350), ("2", "cpu-1", 9000), ("3", "cpu-2", 125), ("4", "db-0", 500)]);
        let elapsed = Duration::from_millis(500);
        assert!((average("cpu-", &before, &now, elapsed) - 1.75).abs() < 1e-9);
        assert!((average("db-", &before, &now, elapsed) - 1.0).abs() < 1e-9);
        assert!(average("files-", &before, &now, elapsed).abs() < 1e-9);
    }
}
