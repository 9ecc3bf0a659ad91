//! The one task that looks at the executors, and what it keeps.
//!
//! Twice a second it takes a [`Reading`], keeps its [`Point`] for two minutes, and tells it to whoever is subscribed; where nobody is,
//! nothing is turned into JSON. What a subscriber gets is seamless: [`Sampler::subscribe`] takes what is kept and begins to
//! listen under the lock under which the task adds and tells.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Unit;
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
        let sampler = Arc::new(Self::new(Reading::take(&executors, Duration::ZERO, Duration::ZERO)));
        let task = Arc::clone(&sampler);
        tokio::spawn(async move {
            // Whoever reads the last word gets it even if `stop` was there before the first tick.
            stop.run_until_cancelled(task.sample(&executors, &prometheus)).await;
            task.stop();
        });
        sampler
    }

    fn new(first: Reading) -> Self {
        let history = History { points: VecDeque::with_capacity(KEPT + 1), sample: first, stopped: false };
        Self { history: Mutex::new(history), news: broadcast::Sender::new(BEHIND) }
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
        metrics::describe_gauge!("service.runtime.late", Unit::Seconds, "by how much the runtime's timer was late");
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::Value;

    /// One without a task: the test keeps what is to be kept.
    pub(in super::super) fn with_readings(count: usize) -> Sampler {
        let sampler = Sampler::new(reading(0));
        keep(&sampler, 1..count);
        sampler
    }

    pub(in super::super) fn keep(sampler: &Sampler, numbers: std::ops::Range<usize>) {
        numbers.for_each(|number| sampler.keep(reading(number)));
    }

    fn reading(number: usize) -> Reading {
        Reading::take(&[], EVERY * u32::try_from(number).unwrap(), Duration::ZERO)
    }

    fn times(json: &str) -> Vec<f64> {
        let history: Value = serde_json::from_str(json).unwrap();
        let points = history["points"].as_array().unwrap().iter().chain([&history["sample"]]);
        points.map(|point| point["at"].as_f64().unwrap()).collect()
    }

    #[test]
    fn two_minutes_are_kept_and_no_more() {
        let sampler = with_readings(3 * KEPT);
        let (history, _) = sampler.subscribe();
        let times = times(&history);
        assert_eq!(times.len(), KEPT + 1);
        assert_eq!((times.first(), times.last()), (Some(&239.5), Some(&359.5)));
        assert!(sampler.history().points.capacity() <= 2 * KEPT);
    }

    #[test]
    fn what_comes_after_the_history_is_what_was_not_in_it() {
        let sampler = with_readings(3);
        let (history, mut news) = sampler.subscribe();
        assert_eq!(times(&history), [0.0, 0.5, 1.0]);
        keep(&sampler, 3..4);
        let Ok(News::Sample(sample)) = news.try_recv() else { panic!("there is a sample") };
        assert_eq!(serde_json::from_str::<Value>(&sample).unwrap()["at"], 1.5);
        assert!(news.try_recv().is_err());
    }

    #[test]
    fn who_subscribes_after_the_stop_is_told_of_it() {
        let sampler = with_readings(1);
        sampler.stop();
        let (_, mut news) = sampler.subscribe();
        assert!(matches!(news.try_recv(), Ok(News::Stop)));
    }
}
