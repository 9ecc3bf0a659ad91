//! The one task that reads the executors, and what it keeps.
//!
//! Twice a second it takes a [`Reading`], keeps its [`Point`] for two minutes, and sends it to the subscribers; without a subscriber,
//! nothing is turned into JSON. What a subscriber gets is seamless: [`Sampler::subscribe`] takes what is kept and begins to
//! listen under the lock under which the task adds and sends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};

use crate::reading::{Executor, Point, Reading, fill};
use crate::run_queue::RunQueue;
use crate::source::Source;
use crate::times::{self, milliseconds};

const EVERY: Duration = Duration::from_millis(500);
/// Two minutes.
const KEPT: usize = 240;
/// How far a subscriber may fall behind before it gets the history anew.
const BEHIND: usize = 8;

/// What a subscriber gets.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// A further reading, as JSON.
    Sample(Arc<str>),
    /// There will be none any more.
    Stop,
}

/// Two minutes up to the newest reading.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    /// Those before `sample`, oldest first.
    points: VecDeque<Point>,
    sample: Reading,
    #[serde(skip)]
    stopped: bool,
}

#[derive(Debug)]
pub(crate) struct Sampler {
    history: Mutex<History>,
    news: broadcast::Sender<News>,
}

impl Sampler {
    /// Starts the task. It ends with `end`, or when the sampler is dropped.
    pub(crate) fn start(
        sources: Arc<[Source]>,
        may_cancel: bool,
        metrics: Option<String>,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Arc<Self> {
        let mut reader = Reader {
            sources,
            may_cancel,
            metrics,
            start: Instant::now(),
            times: times::History::default(),
            run_queue: RunQueue::default(),
        };
        let sampler = Arc::new(Self::new(reader.take(Duration::ZERO)));
        let task = Arc::downgrade(&sampler);
        tokio::spawn(async move {
            let mut end = std::pin::pin!(end);
            let mut due = Instant::now();
            loop {
                due += EVERY;
                tokio::select! {
                    biased;
                    () = &mut end => break,
                    () = sleep_until(due) => {}
                }
                let late = Instant::now() - due;
                // Of many threads and methods this takes a moment, which is not the async runtime's.
                let read = tokio::task::spawn_blocking(move || {
                    let reading = reader.take(late);
                    (reader, reading)
                });
                let Ok((back, reading)) = read.await else { break };
                reader = back;
                let Some(sampler) = task.upgrade() else { return };
                sampler.keep(reading);
                // What was missed stays missed: one reading in place of many.
                while due + EVERY < Instant::now() {
                    due += EVERY;
                }
            }
            if let Some(sampler) = task.upgrade() {
                sampler.stop();
            }
        });
        sampler
    }

    fn new(first: Reading) -> Self {
        let history = History { points: VecDeque::with_capacity(KEPT + 1), sample: first, stopped: false };
        Self { history: Mutex::new(history), news: broadcast::Sender::new(BEHIND) }
    }

    /// What is there, as JSON, and what comes. The last of it is [`News::Stop`].
    pub(crate) fn subscribe(&self) -> (String, broadcast::Receiver<News>) {
        let history = self.history();
        let news = self.news.subscribe();
        if history.stopped {
            // To earlier subscribers it says nothing new.
            let _ = self.news.send(News::Stop);
        }
        (to_json(&*history), news)
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

/// Takes the readings.
struct Reader {
    sources: Arc<[Source]>,
    may_cancel: bool,
    metrics: Option<String>,
    start: Instant,
    times: times::History,
    run_queue: RunQueue,
}

impl Reader {
    fn take(&mut self, late: Duration) -> Reading {
        let mut executors: Vec<Executor> = self.sources.iter().map(Source::read).collect();
        let at = self.start.elapsed();
        fill(&mut executors, at, &mut self.times);
        let names: Vec<_> = executors.iter().map(|executor| executor.thread_name.clone()).collect();
        for (executor, waiting) in executors.iter_mut().zip(self.run_queue.read(&names)) {
            executor.waiting_for_core = waiting.map(|threads| (threads * 100.0).round() / 100.0);
        }
        Reading {
            at: (at.as_secs_f64() * 1e3).round() / 1e3,
            late_ms: milliseconds(late),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            may_cancel: self.may_cancel,
            metrics: self.metrics.clone(),
            executors,
        }
    }
}

fn to_json(what: &impl Serialize) -> String {
    serde_json::to_string(what).expect("figures and text, in maps with text for keys")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::Value;

    /// One without a task: the test keeps what is to be kept.
    pub(crate) fn with_readings(count: usize) -> Sampler {
        let sampler = Sampler::new(reading(0));
        keep(&sampler, 1..count);
        sampler
    }

    pub(crate) fn keep(sampler: &Sampler, numbers: std::ops::Range<usize>) {
        numbers.for_each(|number| sampler.keep(reading(number)));
    }

    fn reading(number: usize) -> Reading {
        let at = (EVERY * u32::try_from(number).unwrap()).as_secs_f64();
        Reading { at, late_ms: 0.0, cores: 1, may_cancel: false, metrics: None, executors: Vec::new() }
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
    fn a_subscriber_after_the_stop_sees_the_stop() {
        let sampler = with_readings(1);
        sampler.stop();
        let (_, mut news) = sampler.subscribe();
        assert!(matches!(news.try_recv(), Ok(News::Stop)));
    }
}
