//! `#[blocking(stream)]`.

#![allow(clippy::unused_self, reason = "what the twins are given matters here, not what they do with it")]

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use futures::{StreamExt, TryStreamExt};
use offload_runtime::{BlockingStream, Error, ExecutorExt, Limited, Panic, Stopped, ThreadPool, Yielder, blocking};
use tests::support::{ON_PURPOSE, finish, panic_message, panic_of, silence};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
    view: Limited<ThreadPool>,
    numbers: Arc<Vec<u32>>,
}

impl Service {
    fn new() -> Self {
        let executor = ThreadPool::new(2);
        Self { view: executor.clone().limited(1), executor, numbers: Arc::new((0..200).collect()) }
    }
}

#[derive(Debug, PartialEq)]
enum Failure {
    Stopped,
    Refused(String),
    Panicked(String),
    Odd(u32),
}

impl Failure {
    fn refused(error: Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

type Outcome = Result<(), Error>;

impl Service {
    /// The lines of a file.
    #[blocking(stream)]
    fn lines(&self, path: &Path) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
        Ok(BufReader::new(File::open(path)?).lines())
    }

    #[blocking(stream)]
    fn named(&self, #[as_ref] path: &Path) -> io::Result<io::Lines<BufReader<File>>> {
        Ok(BufReader::new(File::open(path)?).lines())
    }

    #[blocking(stream, executor = view)]
    fn all(&self) -> impl Iterator<Item = u32> + use<> {
        let numbers = Arc::clone(&self.numbers);
        (0..numbers.len()).map(move |at| numbers[at])
    }

    #[blocking(stream, executor = self.view)]
    fn boxed(&self, most: usize) -> Box<dyn Iterator<Item = u32> + Send> {
        let numbers = Arc::clone(&self.numbers);
        Box::new((0..most).map(move |at| numbers[at]))
    }

    #[blocking(stream)]
    fn range(&self) -> std::ops::Range<u8> {
        0..9
    }

    #[blocking(stream)]
    fn send(&self, most: u32, #[out] rows: &mut Yielder<u32>) -> Result<(), Error> {
        for number in self.numbers.iter().take_while(|number| **number < most) {
            rows.send(*number)?;
        }
        Ok(())
    }

    #[blocking(stream)]
    fn plain(&self, #[out] rows: &mut Yielder<String>) {
        for number in self.numbers.iter() {
            if rows.send(number.to_string()).is_err() {
                return;
            }
        }
    }

    #[blocking(stream)]
    fn aliased(&self, #[out] rows: &mut Yielder<u8>) -> Outcome {
        Ok(rows.send(1)?)
    }

    #[blocking(stream, refused = Failure::refused, panicked = |panic: Panic| Failure::Panicked(panic.to_string()))]
    fn even(&self, upto: u32, #[out] out: &mut Yielder<u32>) -> Result<(), Failure> {
        for n in 0..upto {
            assert_ne!(n, 3, "{ON_PURPOSE}");
            if n == 1 && upto == 2 {
                return Err(Failure::Odd(n));
            }
            out.send(n)?;
        }
        Ok(())
    }

    #[blocking(stream, refused = panic)]
    fn unheld(&self) -> impl Iterator<Item = Result<u8, Failure>> + use<> {
        [Ok(1)].into_iter()
    }

    #[blocking(stream, sync = tens_sync)]
    fn tens(&self, most: u32) -> impl Iterator<Item = u32> + use<> {
        (0..most).step_by(10)
    }

    #[blocking(stream, sync = fill_sync)]
    fn fill(&self, n: u32, #[out] out: &mut Yielder<u32>) -> Result<(), Error> {
        (0..n).try_for_each(|n| out.send(n)).map_err(Error::from)
    }

    #[blocking(stream, with(numbers = Arc::clone(&self.numbers)))]
    fn captured(&self) -> impl Iterator<Item = u32> + use<> {
        let numbers: Arc<Vec<u32>> = numbers;
        (0..3).map(move |at| numbers[at])
    }

    #[blocking(stream)]
    fn consumed(self) -> std::vec::IntoIter<u32> {
        Vec::clone(&self.numbers).into_iter()
    }

    #[blocking(stream)]
    fn generic<T: Clone + Send + 'static>(&self, item: T) -> impl Iterator<Item = T> + use<T> {
        std::iter::repeat_n(item, 3)
    }
}

#[test]
fn iterators_are_streams() {
    let service = Service::new();
    let lines = finish(service.lines("Cargo.toml".as_ref()).try_collect::<Vec<_>>()).unwrap();
    assert_eq!(lines[0], "[package]");
    assert_eq!(finish(service.named("Cargo.toml").try_collect::<Vec<_>>()).unwrap(), lines);
    let error = finish(service.lines("missing".as_ref()).try_collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(finish(service.all().collect::<Vec<_>>()), *service.numbers);
    assert_eq!(finish(service.boxed(7).collect::<Vec<_>>()), service.numbers[..7]);
    assert_eq!(finish(service.range().collect::<Vec<_>>()), (0..9).collect::<Vec<_>>());
    assert_eq!(finish(service.captured().collect::<Vec<_>>()), [0, 1, 2]);
    assert_eq!(finish(service.generic("a").collect::<Vec<_>>()), ["a"; 3]);
    assert_eq!(finish(service.clone().consumed().collect::<Vec<_>>()), *service.numbers);
    assert_eq!(finish(service.tens(30).collect::<Vec<_>>()), service.tens_sync(30).collect::<Vec<_>>());
}

#[test]
fn bodies_send() {
    let service = Service::new();
    assert_eq!(finish(service.send(100).try_collect::<Vec<_>>()).unwrap(), service.numbers[..100]);
    assert_eq!(finish(service.plain().count()), 200);
    assert_eq!(finish(service.aliased().try_collect::<Vec<_>>()).unwrap(), [1]);
    assert_eq!(finish(service.fill(3).try_collect::<Vec<_>>()).unwrap(), [0, 1, 2]);
    assert_eq!(finish(service.even(2).collect::<Vec<_>>()), [Ok(0), Err(Failure::Odd(1))]);
}

/// The twin is given the sender by its caller: here, another stream.
#[test]
fn a_twin_sends_to_what_it_is_given() {
    let service = Service::new();
    let stream = ThreadPool::new(1).generate(move |out: &mut Yielder<u32>| service.fill_sync(2, out));
    assert_eq!(finish(stream.try_collect::<Vec<_>>()).unwrap(), [0, 1]);
}

#[test]
fn nothing_is_submitted_before_the_first_poll() {
    let service = Service::new();
    let stream: BlockingStream<u32> = service.all();
    assert_eq!(service.executor.metrics().submitted(), 0);
    drop(stream);
    let kept = service.all();
    drop(service);
    assert_eq!(finish(kept.count()), 200, "it keeps its executor");
}

#[test]
fn refusals_and_panics() {
    silence();
    let service = Service::new();
    assert_eq!(*panic_of(|| finish(service.resumed().next())).downcast::<u8>().unwrap(), 7);
    let items = finish(service.even(5).collect::<Vec<_>>());
    assert_eq!(items[..3], [Ok(0), Ok(1), Ok(2)]);
    assert!(matches!(&items[3..], [Err(Failure::Panicked(text))] if text.contains(ON_PURPOSE)), "{items:?}");
    service.executor.close();
    assert!(matches!(finish(service.send(1).try_collect::<Vec<_>>()), Err(Error::ShutDown)));
    assert!(finish(service.lines("Cargo.toml".as_ref()).try_collect::<Vec<_>>()).unwrap_err().get_ref().is_some());
    let text = Failure::Refused(Error::ShutDown.to_string());
    assert_eq!(finish(service.even(1).collect::<Vec<_>>()), [Err(text)]);
    for message in [panic_message(|| finish(service.unheld().next())), panic_message(|| finish(service.all().next()))] {
        assert!(message.starts_with("`Service::") && message.contains("was refused"), "{message}");
    }
}

impl Service {
    #[blocking(stream)]
    fn resumed(&self) -> impl Iterator<Item = u8> + use<> {
        std::iter::from_fn(|| std::panic::panic_any(7_u8))
    }
}

/// A trait declares the stream; an impl and a default method make it.
trait Numbers {
    fn numbers(&self) -> BlockingStream<u32>;
    fn pool(&self) -> &ThreadPool;

    #[blocking(stream, executor = self.pool())]
    fn doubled(&self, n: u32) -> impl Iterator<Item = u32> + use<Self>
    where
        Self: Clone + Send + Sync + 'static,
    {
        (0..n).map(|n| n * 2)
    }
}

#[blocking(executor = view)]
impl Numbers for Service {
    #[blocking(stream)]
    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        Vec::clone(&self.numbers).into_iter()
    }

    fn pool(&self) -> &ThreadPool {
        &self.executor
    }
}

/// What a block says of other results is not for its streams.
#[blocking(executor = view, handle)]
impl Service {
    #[blocking]
    fn first(&self) -> u32 {
        self.numbers[0]
    }

    #[blocking(stream)]
    fn second(&self) -> std::option::IntoIter<u32> {
        self.numbers.get(1).copied().into_iter()
    }
}

static POOL: LazyLock<ThreadPool> = LazyLock::new(|| ThreadPool::new(1));

#[blocking(stream, executor = POOL)]
fn on_a_static(n: u32) -> impl Iterator<Item = u32> {
    0..n
}

#[blocking(stream, executor = pool)]
fn on_an_argument(pool: &ThreadPool, n: u32) -> impl Iterator<Item = u32> + use<> {
    0..n
}

#[blocking(stream)]
fn on_the_default(#[out] out: &mut Yielder<u32>) {
    let _ = out.send(1);
}

#[test]
fn traits_blocks_and_free_functions() {
    let service = Service::new();
    assert_eq!(finish(service.numbers().count()), 200);
    assert!(service.view.metrics().submitted() > 0);
    assert_eq!(finish(service.doubled(3).collect::<Vec<_>>()), [0, 2, 4]);
    assert_eq!(finish(service.first()).unwrap(), 0);
    assert_eq!(finish(service.second().collect::<Vec<_>>()), [1]);
    assert_eq!(finish(on_a_static(3).collect::<Vec<_>>()), [0, 1, 2]);
    assert_eq!(finish(on_an_argument(&service.executor, 3).collect::<Vec<_>>()), [0, 1, 2]);
    assert_eq!(finish(on_the_default().collect::<Vec<_>>()), [1]);
}

#[test]
fn the_site_is_the_method() {
    let service = Service::new();
    finish(service.range().count());
    let metrics = service.executor.metrics();
    assert!(metrics.by_site().iter().any(|site| site.site().to_string() == "Service::range"));
}
