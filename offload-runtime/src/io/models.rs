//! Loom models of a writer: the task accepts while the worker drains, ends, or is refused.
//!
//! The buffer holds one byte, so each write meets a worker that has taken the last one, or not yet. A lost wake-up shows as a deadlock. Run by
//! `ci/loom.sh`.

use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::future::block_on;
use loom::sync::mpsc;
use loom::thread;

use super::AsyncIo;
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::ExecutorExt;
use crate::job::Job;
use crate::job::models::explore;
use crate::sync::Arc;

/// What was written, which is looked at when the writer is dropped, or later.
struct Sink {
    bytes: Arc<std::sync::Mutex<Vec<u8>>>,
    dropped: mpsc::Sender<()>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // A model that does not wait for this has dropped the receiver.
        let _ = self.dropped.send(());
    }
}

/// Gives each job a thread, which refuses the job if it is among the first so many.
#[derive(Clone)]
struct Threads {
    refuses: Arc<AtomicUsize>,
}

impl Executor for Threads {
    fn execute(&self, job: Job) {
        let refused = self.refuses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        thread::spawn(move || if refused { job.refuse(Error::QueueFull) } else { job.run() });
    }
}

struct Writer {
    io: AsyncIo<Sink>,
    bytes: Arc<std::sync::Mutex<Vec<u8>>>,
    dropped: mpsc::Receiver<()>,
}

impl Writer {
    fn new(refuses: usize) -> Self {
        let ((send, dropped), bytes) = (mpsc::channel(), Arc::default());
        let sink = Sink { bytes: Arc::clone(&bytes), dropped: send };
        let io = Threads { refuses: Arc::new(AtomicUsize::new(refuses)) }.io(sink).buffer(1);
        Self { io, bytes, dropped }
    }

    fn write(&mut self, byte: u8) -> io::Result<usize> {
        block_on(poll_fn(|cx| self.io.poll_write(cx, &[byte])))
    }

    fn flush(&mut self) -> io::Result<()> {
        block_on(poll_fn(|cx| self.io.poll_flush(cx)))
    }

    fn written(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

#[test]
fn accept_and_drop() {
    explore("accept and drop", Some(1), || {
        let mut writer = Writer::new(0);
        for byte in 1..=2 {
            assert_eq!(writer.write(byte).unwrap(), 1);
        }
        drop(writer.io);
        writer.dropped.recv().unwrap();
        assert_eq!(*writer.bytes.lock().unwrap(), [1, 2]);
    });
}

#[test]
fn accept_and_flush() {
    explore("accept and flush", Some(1), || {
        let mut writer = Writer::new(0);
        for byte in 1..=2 {
            assert_eq!(writer.write(byte).unwrap(), 1);
        }
        writer.flush().unwrap();
        assert_eq!(writer.written(), [1, 2]);
    });
}

/// The first job is refused, at once or late: the write or the operation after it says so, and what was accepted is written once.
#[test]
fn accept_and_refuse() {
    explore("accept and refuse", Some(1), || {
        let mut writer = Writer::new(1);
        let mut accepted: Vec<u8> = (1..=2).filter(|byte| writer.write(*byte).is_ok()).collect();
        let flushed = writer.flush();
        assert!(accepted.len() == 1 || flushed.is_err(), "one of three reports the refusal");
        if flushed.is_err() {
            writer.flush().unwrap();
        }
        assert_eq!(writer.written(), std::mem::take(&mut accepted));
    });
}
