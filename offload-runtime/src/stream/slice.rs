//! The jobs of a stream: each runs a source until it ends or leaves its thread. What never runs gives its source up.

use super::channel::{Channel, Unsent};
use super::source::Source;
use crate::cancel::on_cancel;
use crate::context::CallerContext;
use crate::executor::Executor;
use crate::job::{self, JobHandle, Origin, Unjudged};
use crate::sync::Arc;
use crate::unwind::contain;

/// What the consumer shares with the slices.
pub(super) struct Shared<T: 'static> {
    pub(super) channel: Channel<T>,
    pub(super) executor: Arc<dyn Executor>,
    pub(super) origin: Origin,
}

/// A source on its way to a worker.
pub(super) struct Slice<T: 'static> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) source: Option<Box<dyn Source<T>>>,
}

impl<T: 'static> Slice<T> {
    pub(super) fn run(mut self) {
        if let Some(source) = self.source.take() {
            source.run(&self.shared);
        }
    }
}

impl<T: 'static> Drop for Slice<T> {
    fn drop(&mut self) {
        // It was cancelled or refused.
        if let Some(source) = self.source.take() {
            self.shared.give_up(source);
        }
    }
}

impl<T: 'static> Shared<T> {
    /// The consumer was handed so many items.
    pub(super) fn count_items(&self, items: usize) {
        self.executor.count_items(self.origin, items);
    }

    fn context(&self) -> CallerContext {
        CallerContext::entering(self.executor.enters_runtime(), self.origin)
    }

    /// Drops a source that will produce nothing more: on a worker if it is an iterator, and a worker can be had.
    pub(super) fn give_up(&self, source: Box<dyn Source<T>>) {
        if !source.has_begun() {
            return drop(source);
        }
        let (job, handle) = job::pair_for(self.origin, move || drop(source), Unjudged, self.context());
        handle.detach();
        // An executor that panics is one that refuses.
        contain(|| self.executor.execute(job.owed()));
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Sends an item, after a wait for room. `false`: the stream was dropped, or the job was cancelled meanwhile.
    pub(super) fn send(self: &Arc<Self>, mut item: T) -> bool {
        loop {
            match self.channel.try_send(item) {
                Ok(()) => return true,
                Err(Unsent::Stopped) => return false,
                Err(Unsent::Full(unsent)) => item = unsent,
            }
            let of_hook = Arc::clone(self);
            let _guard = on_cancel(move || of_hook.channel.interrupt());
            self.channel.wait_for_room();
        }
    }

    pub(super) fn submit_again(self: &Arc<Self>, source: Box<dyn Source<T>>) -> JobHandle<()> {
        let slice = Slice { shared: Arc::clone(self), source: Some(source) };
        let (job, handle) = job::pair_for(self.origin, move || slice.run(), Unjudged, self.context());
        self.executor.execute(job.owed());
        handle
    }
}
