//! One run: accounts, then the load by the schedule, then what became of what was accepted.
//!
//! The schedule is kept by a thread of its own, which sleeps to a fraction of a millisecond, and time counts from when a request was
//! due: a service that stalls can't make its own figures better by keeping its clients from asking.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use offload_runtime::{ExecutorExt, default_executor};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::arguments::Arguments;
use crate::client::{Account, Client, Ending, PictureId};
use crate::process::Memory;
use crate::samples::{self, Sample};
use crate::schedule::{Endpoint, Schedule};
use crate::tally::Tally;
use crate::{Failure, verify};

const ACCOUNTS: usize = 8;
/// How many requests may be under way at once: each is a connection, here and in the service.
const UNDER_WAY: usize = 256;
/// Probes come beside them, as many as can be until the first of them has given up: none is left out.
const PROBES_UNDER_WAY: usize = 208;
/// Between two looks at the clock and at the service's memory.
const LOOK: Duration = Duration::from_millis(100);

/// What a run begins with.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) accounts: Vec<Account>,
    pub(crate) samples: Vec<Sample>,
    /// One picture for each account.
    pictures: Vec<Accepted>,
}

/// A picture that was answered with 201.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// Places in [`Setup`].
    pub(crate) account: usize,
    pub(crate) sample: usize,
    pub(crate) id: PictureId,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    /// Sign-ins and uploads offered per second.
    pub(crate) rate: f64,
    /// How long that took.
    pub(crate) time: Duration,
    pub(crate) tallies: BTreeMap<Endpoint, Tally>,
    pub(crate) accepted: usize,
    pub(crate) lost: usize,
    pub(crate) memory: Option<Memory>,
}

/// What is known while the run goes on.
#[derive(Debug, Default)]
struct Known {
    tallies: BTreeMap<Endpoint, Tally>,
    accepted: Vec<Accepted>,
}

/// What the requests of a run share.
#[derive(Debug)]
struct Drive {
    client: Client,
    setup: Setup,
    known: Mutex<Known>,
    places: Arc<Semaphore>,
    probe_places: Arc<Semaphore>,
}

/// New accounts, each with one picture.
pub(crate) async fn sign_up(client: &Client, prefix: &str) -> Result<Setup, Failure> {
    let samples = samples::make()?;
    let (mut accounts, mut pictures) = (Vec::new(), Vec::new());
    for account in 0..ACCOUNTS {
        // The service may know accounts from another run.
        let name = format!("{prefix}-{:08x}-{account}", fastrand::u32(..));
        client.sign_up(&name).await.expect_served("signing up")?;
        accounts.push(client.sign_in(&name).await.expect_served("signing in")?);
        let sample = account % samples.len();
        let id = client.upload(&accounts[account], &samples[sample]).await.expect_served("uploading")?;
        pictures.push(Accepted { account, sample, id });
    }
    Ok(Setup { accounts, samples, pictures })
}

pub(crate) async fn drive(
    client: &Client,
    arguments: &Arguments,
    rate: f64,
    pid: Option<u32>,
    name: &'static str,
) -> Result<Run, Failure> {
    let setup = sign_up(client, "load").await?;
    let drive = Arc::new(Drive {
        client: client.clone(),
        setup,
        known: Mutex::default(),
        places: Arc::new(Semaphore::new(UNDER_WAY)),
        probe_places: Arc::new(Semaphore::new(PROBES_UNDER_WAY)),
    });
    let start = Instant::now();
    let looking = tokio::spawn(look(Arc::clone(&drive), start, arguments.time, pid, name));
    let (keeper, runtime, run) = (Arc::clone(&drive), Handle::current(), arguments.clone());
    default_executor().submit(move || keeper.keep(&runtime, &run, rate, start)).await?;
    let time = start.elapsed();
    // All places are free when the last answer is there, or the last client has given up.
    let all = |count: usize| u32::try_from(count).expect("hundreds");
    drop(drive.places.acquire_many(all(UNDER_WAY)).await?);
    drop(drive.probe_places.acquire_many(all(PROBES_UNDER_WAY)).await?);
    drive.places.close();
    let memory = looking.await?;
    let Known { tallies, accepted } = std::mem::take(&mut *drive.known());
    let lost = verify::count_lost(&drive.client, &drive.setup, &accepted, name).await;
    Ok(Run { rate, time, tallies, accepted: accepted.len(), lost, memory })
}

impl Drive {
    /// Sends what is due when it is due. Blocks until the time is over.
    fn keep(self: &Arc<Self>, runtime: &Handle, arguments: &Arguments, rate: f64, start: Instant) {
        let due_in_time = Schedule::new(rate, arguments.seed).take_while(|(due, _)| *due < arguments.time);
        for (number, (due, endpoint)) in (0..arguments.requests).zip(due_in_time) {
            let due = start + due;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let places = if endpoint == Endpoint::Probe { &self.probe_places } else { &self.places };
            let Ok(place) = Arc::clone(places).try_acquire_owned() else {
                self.known().tally(endpoint).unsent += 1;
                continue;
            };
            let number = usize::try_from(number).expect("at most a million");
            runtime.spawn(Arc::clone(self).send(endpoint, number, due, place));
        }
    }

    async fn send(self: Arc<Self>, endpoint: Endpoint, number: usize, due: Instant, place: OwnedSemaphorePermit) {
        let ending = self.ask(endpoint, number).await;
        let took = due.elapsed();
        let mut known = self.known();
        known.tally(endpoint).count(&ending, took);
        if let Ending::Served(Some(accepted)) = ending {
            known.accepted.push(accepted);
        }
        drop(known);
        drop(place);
    }

    async fn ask(&self, endpoint: Endpoint, number: usize) -> Ending<Option<Accepted>> {
        let Setup { accounts, samples, .. } = &self.setup;
        let account = number % accounts.len();
        let ending = match endpoint {
            Endpoint::Probe => self.client.probe().await,
            Endpoint::SignIn => self.client.sign_in(&accounts[account].name).await.map(drop),
            Endpoint::List => self.client.list(&accounts[account]).await,
            Endpoint::Fetch => {
                let picture = self.a_picture(number);
                self.client.fetch(&accounts[picture.account], &picture.id).await.map(drop)
            }
            Endpoint::Thumbnail => {
                let picture = self.a_picture(number);
                self.client.thumbnail(&accounts[picture.account], &picture.id).await.map(drop)
            }
            Endpoint::Upload => {
                let sample = number / accounts.len() % samples.len();
                let uploaded = self.client.upload(&accounts[account], &samples[sample]).await;
                return uploaded.map(|id| Some(Accepted { account, sample, id }));
            }
        };
        ending.map(|()| None)
    }

    /// One that is there: of the setup, or accepted since.
    fn a_picture(&self, number: usize) -> Accepted {
        let known = self.known();
        let there = [&self.setup.pictures, &known.accepted];
        let which = number % (there[0].len() + there[1].len());
        there.into_iter().flatten().nth(which).expect("it is one of them").clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn tally(&mut self, endpoint: Endpoint) -> &mut Tally {
        self.tallies.entry(endpoint).or_insert_with(Tally::new)
    }
}

/// Moves the bar and looks at the service's memory, until all requests have ended.
async fn look(
    drive: Arc<Drive>,
    start: Instant,
    time: Duration,
    pid: Option<u32>,
    name: &'static str,
) -> Option<Memory> {
    let mut memory = pid.and_then(Memory::begin);
    let bar = bar(time.as_millis().try_into().unwrap_or(u64::MAX), name, "{elapsed} {msg}");
    while !drive.places.is_closed() {
        tokio::time::sleep(LOOK).await;
        if let Some(memory) = &mut memory {
            memory.look();
        }
        let tallies = drive.known().tallies.values().fold(Tally::new(), |mut sum, tally| {
            sum.add(tally);
            sum
        });
        bar.set_position(start.elapsed().as_millis().try_into().unwrap_or(u64::MAX));
        bar.set_message(format!("{} served, {} refused, {} gave up", tallies.served, tallies.refused, tallies.gave_up));
    }
    bar.finish_and_clear();
    memory
}

/// On a terminal; elsewhere nothing is drawn.
pub(crate) fn bar(length: u64, name: &'static str, rest: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template(&format!("{{prefix:>10}} {{bar:32}} {rest}")).expect("a constant template");
    ProgressBar::new(length).with_style(style).with_prefix(name)
}
