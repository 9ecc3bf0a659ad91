//! The operations of an [`AsyncIo`] as polls, which both families of traits share.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::AsyncIo;
use super::shared::{self, Before, Done, Writing};
use crate::error::Error;
use crate::executor::submit;
use crate::job::Unjudged;
use crate::sync::Arc;

impl<T: Send + 'static> AsyncIo<T> {
    /// What precedes an operation that depends on the position.
    pub(super) fn before(&self) -> Before<T> {
        let unread = i64::try_from(self.ahead.unread().len()).expect("a buffer is smaller than that");
        let unread = self.reposition.map(|reposition| (unread, reposition));
        Before { unread, writing: self.unflushed, lenient: false }
    }

    /// What precedes a read, which needs nothing of what was read before. A stream may be readable though it no longer is writable.
    fn before_read(&self) -> Before<T> {
        Before { unread: None, writing: self.unflushed, lenient: self.reposition.is_none() }
    }

    /// Submits a job that does `f`. A refusal is what the job resolves to.
    ///
    /// # Errors
    /// If the file is gone.
    pub(super) fn start<F>(&mut self, before: Before<T>, f: F) -> io::Result<()>
    where
        F: FnOnce(&mut T) -> io::Result<Done> + Send + 'static,
    {
        if !self.shared.has_file() {
            return Err(shared::poisoned());
        }
        let shared = Arc::clone(&self.shared);
        self.job = Some(submit(&*self.executor, self.origin, Unjudged, move || shared.run(&before, f)));
        Ok(())
    }

    /// Awaits the job that was started last, if any, and keeps what it read.
    pub(super) fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Done>>> {
        let Some(job) = &mut self.job else { return Poll::Ready(Ok(None)) };
        let result = ready!(Pin::new(job).poll(cx));
        self.job = None;
        let report = match result {
            Ok(report) => report,
            Err(Error::Panicked(panic)) => panic.resume(),
            Err(error) => return Poll::Ready(Err(error.into())),
        };
        if report.gave_back {
            self.ahead.clear();
        }
        let done = report.done?;
        match done {
            Done::Read(bytes, result) => {
                self.ahead.fill(bytes, result);
                return Poll::Ready(Ok(Some(Done::Other)));
            }
            Done::Flushed => self.unflushed = None,
            Done::Sought(_, now) => {
                self.ahead.clear();
                self.position = now;
            }
            Done::Other => {}
        }
        Poll::Ready(Ok(Some(done)))
    }

    /// Awaits the operations before this one.
    pub(super) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_job(cx).map_ok(drop)
    }

    fn is_busy(&self) -> bool {
        self.job.as_ref().is_some_and(|job| !job.is_finished())
    }
}

impl<T: Read + Send + 'static> AsyncIo<T> {
    /// Reads until something can be consumed, or the end. `wanted` is how much the caller has room for.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<&[u8]>> {
        loop {
            ready!(self.poll_idle(cx))?;
            if !self.ahead.unread().is_empty() {
                return Poll::Ready(Ok(self.ahead.unread()));
            }
            if let Some(end) = self.ahead.take_end() {
                return Poll::Ready(end.map(|()| &[][..]));
            }
            let mut bytes = self.ahead.next(wanted, self.capacity);
            self.start(self.before_read(), move |io| {
                let result = loop {
                    match io.read(&mut bytes) {
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        result => break result,
                    }
                };
                Ok(Done::Read(bytes, result))
            })?;
        }
    }
}

impl<T: Write + Send + 'static> AsyncIo<T> {
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            if !self.is_busy() {
                ready!(self.poll_idle(cx))?;
                self.unflushed = Some(Writing::of());
                let accepted = self.shared.pending.begin(bytes, self.capacity);
                if let Err(gone) = self.start(self.before(), |_| Ok(Done::Other)) {
                    self.shared.pending.retract(accepted);
                    return Poll::Ready(Err(gone));
                }
                // A refusal that is known by now is the answer to this very write.
                let refused = !self.is_busy() && self.shared.pending.retract(accepted);
                if !refused && accepted > 0 {
                    return Poll::Ready(Ok(accepted));
                }
            } else if let Some(accepted) = self.shared.pending.accept(bytes, self.capacity, cx.waker()) {
                return Poll::Ready(Ok(accepted));
            }
            ready!(self.poll_idle(cx))?;
        }
    }

    /// Writes what was accepted and flushes.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match ready!(self.poll_job(cx))? {
                Some(Done::Flushed) => return Poll::Ready(Ok(())),
                Some(_) => {}
                None => self.start(self.before(), |io| {
                    io.flush()?;
                    Ok(Done::Flushed)
                })?,
            }
        }
    }
}

impl<T: Seek + Send + 'static> AsyncIo<T> {
    pub(super) fn start_seek(&mut self, to: SeekFrom) -> io::Result<()> {
        self.reposition = Some(shared::reposition);
        self.start(self.before(), move |io| Ok(Done::Sought(to, io.seek(to)?)))
    }

    /// A seek whose future was dropped is awaited, and is the answer where it was to the same position.
    #[cfg(feature = "futures-io")]
    pub(super) fn poll_seek(&mut self, cx: &mut Context<'_>, to: SeekFrom) -> Poll<io::Result<u64>> {
        loop {
            match ready!(self.poll_job(cx))? {
                Some(Done::Sought(sought, now)) if sought == to => return Poll::Ready(Ok(now)),
                Some(_) => {}
                None => self.start_seek(to)?,
            }
        }
    }
}
