//! Random reads, writes, seeks, flushes and calls, of which some futures are dropped after one poll, against a vector and a position.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::pin::pin;
use std::task::Poll;

use offload_runtime::{AsyncIo, ExecutorExt, ThreadPool};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tests::support::finish;

use crate::family::{Family, Futures, Tokio};

const CASES: u32 = 100;
const STEPS: usize = 100;

#[derive(Clone, Copy, Debug)]
enum Step {
    Read(usize),
    Write {
        byte: u8,
        len: usize,
    },
    Seek(SeekFrom),
    Flush,
    Close,
    /// A call that reads some bytes past the `AsyncIo`.
    With(usize),
    SetLen(u64),
}

/// A step, and whether its future is dropped after one poll.
type Steps = Vec<(Step, bool)>;

fn steps() -> impl Strategy<Value = Steps> {
    let step = prop_oneof![
        4 => (0..200_usize).prop_map(Step::Read),
        4 => (any::<u8>(), 0..200_usize).prop_map(|(byte, len)| Step::Write { byte, len }),
        1 => (0..600_u64).prop_map(|to| Step::Seek(SeekFrom::Start(to))),
        1 => (-300..100_i64).prop_map(|by| Step::Seek(SeekFrom::End(by))),
        1 => (-200..200_i64).prop_map(|by| Step::Seek(SeekFrom::Current(by))),
        1 => Just(Step::Seek(SeekFrom::Current(i64::MIN))),
        1 => Just(Step::Flush),
        1 => Just(Step::Close),
        1 => (0..50_usize).prop_map(Step::With),
        1 => (0..600_u64).prop_map(Step::SetLen),
    ];
    prop::collection::vec((step, prop::bool::weighted(0.2)), STEPS)
}

/// A file as a vector.
#[derive(Debug, Default)]
struct Model {
    bytes: Vec<u8>,
    position: usize,
}

impl Model {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn write(&mut self, bytes: &[u8]) {
        let end = self.position + bytes.len();
        if !bytes.is_empty() && self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if !bytes.is_empty() {
            self.bytes[self.position..end].copy_from_slice(bytes);
        }
        self.position = end;
    }

    /// `None`: before the start, or beyond what a number can say.
    fn target(&self, to: SeekFrom) -> Option<usize> {
        let (base, by) = match to {
            SeekFrom::Start(to) => return usize::try_from(to).ok(),
            SeekFrom::End(by) => (self.bytes.len(), by),
            SeekFrom::Current(by) => (self.position, by),
        };
        usize::try_from(i64::try_from(base).unwrap().checked_add(by)?).ok()
    }
}

/// What the model can be played on.
trait Backing: Read + Write + Seek + Send + 'static {
    fn set_len(&mut self, len: u64) -> io::Result<()>;
}

impl Backing for File {
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }
}

impl Backing for Cursor<Vec<u8>> {
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.get_mut().resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }
}

/// Awaits `future`, or drops it after a poll: then `None`, if it was not ready.
fn play<T>(future: impl Future<Output = T>, dropped: bool) -> Option<T> {
    let mut future = pin!(future);
    if dropped {
        return finish(poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        }));
    }
    Some(finish(future))
}

fn position<F: Family, T: Seek + Send + 'static>(io: &mut AsyncIo<T>) -> u64 {
    finish(F::seek(io, SeekFrom::Current(0))).unwrap()
}

fn step<F: Family, T: Backing>(io: &mut AsyncIo<T>, model: &mut Model, step: Step, dropped: bool) {
    match step {
        Step::Read(len) => {
            let mut into = vec![0; len];
            let Some(read) = play(F::read(io, &mut into), dropped) else { return };
            let read = read.unwrap();
            assert_eq!(into[..read], model.rest()[..read]);
            assert!(read > 0 || len == 0 || model.rest().is_empty(), "an end that is none");
            model.position += read;
        }
        Step::Write { byte, len } => {
            let bytes = vec![byte; len];
            // What was not ready has accepted nothing.
            let Some(written) = play(F::write(io, &bytes), dropped) else { return };
            let written = written.unwrap();
            assert!(written > 0 || len == 0);
            model.write(&bytes[..written]);
        }
        Step::Seek(to) => {
            let target = model.target(to);
            match play(F::seek(io, to), dropped) {
                Some(Ok(now)) => {
                    assert_eq!(Some(now), target.map(|target| target as u64));
                    model.position = usize::try_from(now).unwrap();
                }
                Some(Err(error)) => {
                    assert_eq!((error.kind(), target), (ErrorKind::InvalidInput, None));
                }
                // Done, not done, or failed, which the next operation reports.
                None => {
                    let now = finish(F::seek(io, SeekFrom::Current(0)));
                    let now = now.unwrap_or_else(|error| {
                        assert_eq!((error.kind(), target), (ErrorKind::InvalidInput, None));
                        position::<F, T>(io)
                    });
                    let now = usize::try_from(now).unwrap();
                    assert!(now == model.position || Some(now) == target, "{now} after {to:?} in {model:?}");
                    model.position = now;
                }
            }
        }
        Step::Flush => {
            if let Some(flushed) = play(F::flush(io), dropped) {
                flushed.unwrap();
            }
        }
        Step::Close => {
            if let Some(closed) = play(F::close(io), dropped) {
                closed.unwrap();
            }
        }
        Step::With(len) => {
            let read = finish(io.with(move |io| {
                let mut bytes = Vec::new();
                io.take(len as u64).read_to_end(&mut bytes)?;
                Ok(bytes)
            }));
            let read = read.unwrap();
            assert_eq!(read, model.rest()[..read.len()]);
            assert_eq!(read.len(), len.min(model.rest().len()));
            model.position += read.len();
        }
        Step::SetLen(len) => {
            finish(io.with(move |io| io.set_len(len))).unwrap();
            model.bytes.resize(usize::try_from(len).unwrap(), 0);
        }
    }
}

fn run<F: Family, T: Backing>(make: impl Fn() -> T) {
    let pool = ThreadPool::new(2);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(steps(), 1..64_usize), |(steps, buffer)| {
        let mut io = pool.io(make()).buffer(buffer);
        let mut model = Model::default();
        // By this, types other than files are known to have one position.
        assert_eq!(position::<F, T>(&mut io), 0);
        for (next, dropped) in steps {
            step::<F, T>(&mut io, &mut model, next, dropped);
        }
        let mut inner = match finish(io.into_inner()) {
            Ok(inner) => inner,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(inner.stream_position().unwrap(), model.position as u64);
        inner.rewind().unwrap();
        let mut bytes = Vec::new();
        inner.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, model.bytes);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn file() -> File {
    tempfile::tempfile().unwrap()
}

fn cursor() -> Cursor<Vec<u8>> {
    Cursor::new(Vec::new())
}

#[test]
fn a_file_by_the_traits_of_tokio() {
    run::<Tokio, _>(file);
}

#[test]
fn a_file_by_the_traits_of_futures() {
    run::<Futures, _>(file);
}

#[test]
fn a_cursor_by_the_traits_of_tokio() {
    run::<Tokio, _>(cursor);
}

#[test]
fn a_cursor_by_the_traits_of_futures() {
    run::<Futures, _>(cursor);
}
