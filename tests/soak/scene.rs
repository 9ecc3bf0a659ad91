//! What an epoch is played on: a pool of random size, views of it, a foreign executor; and how it ends.

use std::cell::Cell;
use std::io;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::poll_immediate;
use offload_runtime::{
    BlockingStream, Executor, ExecutorExt, Job, JobHandle, Limited, StatefulPool, ThreadPool, Yielder,
};
use tests::support::{PATIENCE, Token, Tokens, assert_balanced, finish, rayon_pool, tokio_runtime};

use crate::ledger::{Card, Ledger, Ticket};
use crate::random::Random;
use crate::streams::{Item, Plan};

/// How many jobs each producer plays.
const JOBS: u64 = 600;

/// The executors of ours: a pool, two views of it, a view of a view.
#[derive(Clone)]
struct Ours {
    pool: ThreadPool,
    one: Limited<ThreadPool>,
    two: Limited<ThreadPool>,
    of_two: Limited<Limited<ThreadPool>>,
    states: StatefulPool<State>,
    of_states: Limited<StatefulPool<State>>,
}

/// What a thread owns.
struct State {
    _token: Token,
    /// Not `Send`.
    uses: Rc<Cell<u64>>,
}

impl State {
    /// Of every hundred states one cannot be opened, and one panics.
    fn open(nth: u64, tokens: &Tokens) -> io::Result<Self> {
        let token = tokens.token();
        match nth % 100 {
            31 => Err(io::Error::other("as asked")),
            62 => resume_unwind(Box::new(token)),
            _ => Ok(Self { _token: token, uses: Rc::default() }),
        }
    }

    fn used(&self) {
        self.uses.set(self.uses.get() + 1);
    }

    fn is_fresh(&mut self) -> bool {
        self.uses.get() % 10 != 9
    }
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Pool,
    One,
    Two,
    OfTwo,
}

impl Place {
    pub(crate) fn any(random: &mut Random) -> Self {
        random.of(&[Self::Pool, Self::Pool, Self::One, Self::Two, Self::OfTwo])
    }

    /// Where a job of this place may block on jobs (C10): here, behind a view, at a view of this very place; but at no view from inside
    /// a chain that may hold its places.
    pub(crate) fn below(self, random: &mut Random, is_first: bool) -> Self {
        match self {
            Self::Pool if is_first => random.of(&[Self::Pool, Self::One, Self::Two]),
            Self::Pool => Self::Pool,
            Self::Two if is_first => random.of(&[self, Self::Pool, Self::OfTwo]),
            Self::One | Self::Two => random.of(&[self, Self::Pool]),
            Self::OfTwo => random.of(&[self, Self::Two, Self::Pool]),
        }
    }
}

/// One that is not ours, and may end under its jobs.
enum Foreign {
    Tokio(tokio::runtime::Handle, Mutex<Option<tokio::runtime::Runtime>>),
    Rayon(rayon::ThreadPool),
}

impl Executor for Foreign {
    fn execute(&self, job: Job) {
        match self {
            Self::Tokio(handle, _) => handle.execute(job),
            Self::Rayon(pool) => pool.execute(job),
        }
    }
}

impl Foreign {
    fn end(&self) {
        if let Self::Tokio(_, runtime) = self {
            runtime.lock().unwrap().take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Clone)]
pub(crate) struct Scene {
    ours: Ours,
    foreign: Arc<Foreign>,
    ledger: Arc<Ledger>,
    /// How many jobs the producers have played.
    played: Arc<AtomicU64>,
}

impl Scene {
    pub(crate) fn new(random: &mut Random, ledger: &Arc<Ledger>) -> Self {
        let keep_alive =
            random.of(&[Duration::ZERO, Duration::from_micros(50), Duration::from_millis(2), Duration::MAX]);
        let capacity = random.of(&[usize::MAX, usize::MAX, 0, 20]);
        let pool = ThreadPool::builder()
            .max_threads(random.of(&[1, 2, 3, 8]))
            .min_threads(random.of(&[0, 1, 2]))
            .keep_alive(keep_alive)
            .queue_capacity(capacity)
            .build();
        let two = pool.clone().limited(2);
        let of_two = two.clone().limited(1);
        let one = pool.clone().limited(1).queue_capacity(random.of(&[usize::MAX, 3]));
        let (opened, of_open) = (AtomicU64::new(0), ledger.tokens().clone());
        let states = StatefulPool::builder()
            .max_threads(random.of(&[1, 3]))
            .keep_alive(keep_alive)
            .queue_capacity(capacity)
            .keep_if(State::is_fresh)
            .open(move || State::open(opened.fetch_add(1, Ordering::SeqCst), &of_open));
        let of_states = states.limited(1);
        let foreign = if random.one_in(2) {
            let runtime = tokio_runtime(2);
            Foreign::Tokio(runtime.handle().clone(), Mutex::new(Some(runtime)))
        } else {
            Foreign::Rayon(rayon_pool(2))
        };
        Self {
            ours: Ours { pool, one, two, of_two, states, of_states },
            foreign: Arc::new(foreign),
            ledger: Arc::clone(ledger),
            played: Arc::default(),
        }
    }

    /// Submits a job, to any executor, that has its entry in the books.
    pub(crate) fn submit<T, F>(&self, random: &mut Random, body: F) -> (JobHandle<T>, Card)
    where
        F: FnOnce(Ticket) -> T + Send + 'static,
        T: Send + 'static,
    {
        match random.below(16) {
            0 | 1 => self.submit_to(&*self.foreign, body),
            2 => self.submit_with_state(|body| self.ours.states.submit_with(body), body),
            3 => self.submit_with_state(|body| self.ours.of_states.submit_with(body), body),
            _ => self.submit_at(Place::any(random), body),
        }
    }

    /// Submits a job that uses a state.
    fn submit_with_state<T, F>(
        &self,
        submit: impl FnOnce(Box<dyn FnOnce(&mut State) -> T + Send>) -> JobHandle<T>,
        body: F,
    ) -> (JobHandle<T>, Card)
    where
        F: FnOnce(Ticket) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (card, mut ticket) = self.ledger.open();
        let handle = submit(Box::new(move |state| {
            ticket.begin();
            state.used();
            body(ticket)
        }));
        (handle, card)
    }

    /// A stream on one of ours.
    pub(crate) fn stream(&self, random: &mut Random, plan: Plan) -> BlockingStream<Item> {
        let tokens = self.ledger.tokens().clone();
        let with_state = move |state: &mut State, out: &mut Yielder<Item>| {
            state.used();
            plan.send(tokens, out);
        };
        let stream = match random.below(8) {
            0 => self.ours.states.generate_with(with_state),
            1 => self.ours.of_states.generate_with(with_state),
            2 => self.stream_on(&self.ours.one, plan),
            3 => self.stream_on(&self.ours.two, plan),
            4 => self.stream_on(&self.ours.of_two, plan),
            _ => self.stream_on(&self.ours.pool, plan),
        };
        stream.buffer(plan.buffer)
    }

    fn stream_on(&self, executor: &(impl Executor + Clone + 'static), plan: Plan) -> BlockingStream<Item> {
        let tokens = self.ledger.tokens().clone();
        if plan.is_sent {
            executor.generate(move |out| plan.send(tokens, out))
        } else {
            executor.stream(move || plan.pull(tokens))
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Submits a job to one of ours.
    pub(crate) fn submit_at<T, F>(&self, place: Place, body: F) -> (JobHandle<T>, Card)
    where
        F: FnOnce(Ticket) -> T + Send + 'static,
        T: Send + 'static,
    {
        match place {
            Place::Pool => self.submit_to(&self.ours.pool, body),
            Place::One => self.submit_to(&self.ours.one, body),
            Place::Two => self.submit_to(&self.ours.two, body),
            Place::OfTwo => self.submit_to(&self.ours.of_two, body),
        }
    }

    /// Waits for room on the pool or the bounded view, and submits a job there. `None`: the pool is closed.
    pub(crate) async fn submit_with_permit<T, F>(&self, place: Place, body: F) -> Option<(JobHandle<T>, Card)>
    where
        F: FnOnce(Ticket) -> T + Send + 'static,
        T: Send + 'static,
    {
        let submitted = |(card, mut ticket): (Card, Ticket)| {
            let body = move || {
                ticket.begin();
                body(ticket)
            };
            (card, body)
        };
        if matches!(place, Place::One) {
            let permit = self.ours.one.reserve().await.ok()?;
            let (card, body) = submitted(self.ledger.open());
            return Some((permit.submit(body), card));
        }
        let permit = self.ours.pool.reserve().await.ok()?;
        let (card, body) = submitted(self.ledger.open());
        Some((permit.submit(body), card))
    }

    /// Stands in a line and leaves it, has a permit and drops it, waits a moment for idleness, or changes a size.
    pub(crate) async fn disturb(&self, random: &mut Random) {
        let Ours { pool, one, two, .. } = &self.ours;
        match random.below(6) {
            0 => drop(poll_immediate(pool.reserve()).await),
            1 => drop(poll_immediate(one.reserve()).await),
            2 => drop(pool.reserve().await),
            3 => drop(poll_immediate(pool.wait_idle()).await),
            4 => pool.set_max_threads(random.of(&[1, 2, 3, 8])),
            _ => two.set_limit(random.of(&[1, 2, 3])),
        }
    }

    fn submit_to<T, F>(&self, executor: &(dyn Executor + 'static), body: F) -> (JobHandle<T>, Card)
    where
        F: FnOnce(Ticket) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (card, mut ticket) = self.ledger.open();
        let handle = executor.submit(move || {
            ticket.begin();
            body(ticket)
        });
        (handle, card)
    }

    /// Counts a job that a producer is about to play. `false`: it has played enough.
    pub(crate) fn plays(&self, nth: u64) -> bool {
        self.played.fetch_add(1, Ordering::SeqCst);
        nth < JOBS
    }

    /// Ends the pool in one of the ways that there are, while the producers play, or leaves it to the last handle.
    pub(crate) fn end(self, mut random: Random) {
        let after = random.below(6 * JOBS);
        if after >= 4 * JOBS {
            return;
        }
        while self.played.load(Ordering::SeqCst) < after {
            std::thread::sleep(Duration::from_micros(200));
        }
        let Ours { pool, states, .. } = &self.ours;
        match random.below(6) {
            0 => pool.close(),
            1 => pool.shutdown().wait_timeout(PATIENCE).unwrap(),
            2 => pool.shutdown_now().wait_timeout(PATIENCE).unwrap(),
            3 => states.close(),
            4 => states.shutdown_now().wait_timeout(PATIENCE).unwrap(),
            _ => self.foreign.end(),
        }
        assert_balanced(&pool.metrics());
        assert_balanced(&states.metrics());
    }

    /// Waits until all jobs have ended, then drops the scene's handles to its executors, which are the last but for those in jobs. The pool's own
    /// books balance until then.
    pub(crate) fn leave(self) {
        finish(self.ours.pool.wait_idle());
        finish(self.ours.states.wait_idle());
        assert_balanced(&self.ours.pool.metrics());
        assert_balanced(&self.ours.states.metrics());
        drop(self);
    }
}
