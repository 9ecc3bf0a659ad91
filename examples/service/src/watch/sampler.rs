//! The one task that looks at the executors, and what it keeps.
//!
//! Twice a second it takes a [`Reading`], keeps its [`Point`] for two minutes, and tells it to whoever is subscribed; where nobody is,
//! nothing is turned into JSON. What a subscriber gets is seamless: [`Sampler::subscribe`] takes what is kept and begins to
//! listen under the lock under which the task adds and tells.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Watched;
use super::reading::{Point, Reading};

const EVERY: Duration = Duration::from_millis(500);
/// Two minutes.
const KEPT: usize = 240;
/// How far a subscriber may fall behind before it gets the history anew.
const BEHIND: usize = 8;

/// What a subscriber is told.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// A further reading, as JSON.
    Sample(Arc<str>),
    /// There will be none any more.
    Stop,
}

/// Two minutes up to the newest reading.
#[derive(Debug, Serialize)]
pub(super) struct History {
    /// Those before `sample`, oldest first.
    points: VecDeque<Point>,
    sample: Reading,
    #[serde(skip)]
    stopped: bool,
}

#[derive(Debug)]
pub(super) struct Sampler {
    history: Mutex<History>,
    news: broadcast::Sender<News>,
}

impl Sampler {
    /// Starts the task. It ends with `stop`.
    pub(super) fn start(executors: Vec<Watched>, prometheus: PrometheusHandle, stop: CancellationToken) -> Arc<Self> {
        let sample = Reading::take(&executors, Duration::ZERO, Duration::ZERO);
        let history = History { points: VecDeque::with_capacity(KEPT + 1), sample, stopped: false };
        let sampler = Arc::new(Self { history: Mutex::new(history), news: broadcast::Sender::new(BEHIND) });
        let task = Arc::clone(&sampler);
        tokio::spawn(async move {
            // Whoever reads the last word gets it even if `stop` was there before the first tick.
            stop.run_until_cancelled(task.sample(&executors, &prometheus)).await;
            task.stop();
        });
        sampler
    }

    /// What is there, as JSON, and what comes. The last of it is [`News::Stop`].
    pub(super) fn subscribe(&self) -> (String, broadcast::Receiver<News>) {
        let history = self.history();
        let news = self.news.subscribe();
        if history.stopped {
            // Others have had it already; to them it says nothing new.
            let _ = self.news.send(News::Stop);
        }
        (to_json(&*history), news)
    }

    async fn sample(&self, executors: &[Watched], prometheus: &PrometheusHandle) {
        let start = Instant::now();
        let late_seconds = metrics::gauge!("service.runtime.late");
        let mut due = start;
        loop {
            due += EVERY;
            sleep_until(due).await;
            let now = Instant::now();
            let late = now - due;
            late_seconds.set(late);
            self.keep(Reading::take(executors, now - start, late));
            // Moves what was recorded since into the histograms, which would otherwise grow until the next scrape.
            prometheus.run_upkeep();
            // What was missed stays missed: one look in place of many.
            while due + EVERY < now {
                due += EVERY;
            }
        }
    }

    fn keep(&self, sample: Reading) {
        let mut history = self.history();
        let before = std::mem::replace(&mut history.sample, sample);
        history.points.push_back(before.point());
        if history.points.len() > KEPT {
            history.points.pop_front();
        }
        if self.news.receiver_count() > 0 {
            // The last receiver may leave at any time.
            let _ = self.news.send(News::Sample(to_json(&history.sample).into()));
        }
    }

    fn stop(&self) {
        let mut history = self.history();
        history.stopped = true;
        let _ = self.news.send(News::Stop);
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_json(what: &impl Serialize) -> String {
    serde_json::to_string(what).expect("figures and text, in maps with text for keys")
}
