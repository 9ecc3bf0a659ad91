//! Waiting for room: [`Permit`], and the future that resolves to it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::context::CallerContext;
use crate::error::Error;
use crate::executor::Executor;
use crate::job::{self, Job, JobHandle, Origin, Unjudged};
use crate::limited::Limited;
use crate::permits::{Acquired, Permits};
use crate::pool::ThreadPool;
use crate::site::Site;
use crate::sync::Arc;
use crate::wait::wake;

/// A place in an executor's queue, for one job.
///
/// Made by [`ThreadPool::reserve`] and [`Limited::reserve`]. **Dropping** it gives the place to the caller that has waited for longest. It
/// holds a handle to the executor, which is not closed meanwhile by the drop of others.
///
/// # Examples
/// See [`ThreadPool::reserve`].
#[must_use = "a `Permit` holds a place in the queue: submit with it, or drop it"]
pub struct Permit<E: Executor = ThreadPool> {
    executor: E,
    place: Place,
}

/// What was taken of the permits, if there are any. Gives it back when it is dropped.
struct Place(Option<Arc<Permits>>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(permits) = self.0.take() {
            wake(permits.release());
        }
    }
}

impl<E: Executor> Permit<E> {
    /// Submits `f` and returns the handle that awaits it, as [`ExecutorExt::submit`](crate::ExecutorExt::submit) does. The job is not refused as
    /// [`Error::QueueFull`].
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// None here. If the executor was closed meanwhile, the handle resolves to [`Error::ShutDown`].
    ///
    /// # Examples
    /// See [`ThreadPool::reserve`].
    #[track_caller]
    pub fn submit<F, T>(self, f: F) -> JobHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let origin = Origin::of_caller();
        let context = CallerContext::entering(self.executor.enters_runtime(), origin);
        let (job, handle) = job::pair_for(origin, f, Unjudged, context);
        self.execute(job);
        handle
    }

    pub(crate) fn enters_runtime(&self) -> bool {
        self.executor.enters_runtime()
    }

    /// Submits a job that exists.
    pub(crate) fn execute(self, job: Job) {
        let Self { executor, mut place } = self;
        // The job has the place from here on.
        place.0 = None;
        executor.execute_permitted(job);
    }
}

impl<E: Executor> fmt::Debug for Permit<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("is_bounded", &self.place.0.is_some()).finish_non_exhaustive()
    }
}

/// The handle of a job from `site` that is refused. Called by generated code.
pub(crate) fn refuse_at<T: Send + 'static>(site: &'static Site, why: Error) -> JobHandle<T> {
    let origin = Origin::of_site(site);
    let (job, handle) = job::pair_for(origin, || unreachable!("it is refused"), Unjudged, CallerContext::of(origin));
    job.refuse(why);
    handle
}

/// Resolves to a permit of `executor`. It stands in line from its first poll on.
pub(crate) fn reserve<E: Executor>(executor: E) -> Reserve<E> {
    let permits = executor.permits();
    Reserve { executor: Some(executor), permits, ticket: None }
}

pub(crate) struct Reserve<E: Executor> {
    /// `None` once it has returned its permit.
    executor: Option<E>,
    permits: Option<Arc<Permits>>,
    /// Where it stands in line.
    ticket: Option<u64>,
}

// Nothing in it is pinned.
impl<E: Executor> Unpin for Reserve<E> {}

impl<E: Executor> Reserve<E> {
    fn leave(&mut self) {
        if let (Some(permits), Some(ticket)) = (&self.permits, self.ticket.take()) {
            wake(permits.leave(ticket));
        }
    }
}

impl<E: Executor> Future for Reserve<E> {
    type Output = Result<Permit<E>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let executor = this.executor.as_ref().expect("`reserve` polled after it returned its permit");
        if executor.is_closed() {
            this.leave();
            return Poll::Ready(Err(Error::ShutDown));
        }
        if let Some(permits) = &this.permits {
            match permits.poll_acquire(&mut this.ticket, cx.waker()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Acquired::Closed) => return Poll::Ready(Err(Error::ShutDown)),
                Poll::Ready(Acquired::Place) => {}
            }
        }
        let place = Place(this.permits.take());
        let executor = this.executor.take().expect("it was there above");
        Poll::Ready(Ok(Permit { executor, place }))
    }
}

impl<E: Executor> Drop for Reserve<E> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl ThreadPool {
    /// Waits for room in the pool, first come, first served, and returns a permit to submit one job.
    ///
    /// While callers wait, a place that becomes free goes to the first of them: a plain [`submit`](crate::ExecutorExt::submit) is refused as
    /// [`Error::QueueFull`]. In a pool without a [`queue_capacity`](crate::ThreadPoolBuilder::queue_capacity) there is always room.
    ///
    /// The future stands in line from its first poll on, and holds a handle to the pool.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the line; the others move up.
    ///
    /// # Errors
    /// [`Error::ShutDown`] if the pool is closed, or is closed meanwhile.
    ///
    /// # Examples
    /// A list of any length goes through a short queue, and no job is refused:
    /// ```
    /// use offload_runtime::ThreadPool;
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::builder().max_threads(2).queue_capacity(8).build();
    /// let mut handles = Vec::new();
    /// for i in 0..100 {
    ///     handles.push(pool.reserve().await?.submit(move || i * i));
    /// }
    /// let mut sum = 0;
    /// for handle in handles {
    ///     sum += handle.await?;
    /// }
    /// assert_eq!(sum, 328_350);
    /// # Ok::<(), offload_runtime::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn reserve(&self) -> impl Future<Output = Result<Permit, Error>> + Send + Sync + Unpin + use<> {
        reserve(self.clone())
    }
}

impl<E: Executor + 'static> Limited<E> {
    /// Waits for room in the view, first come, first served, and returns a permit to submit one job.
    ///
    /// As [`ThreadPool::reserve`], with the places of the view's own [`queue_capacity`](crate::LimitedBuilder::queue_capacity). Where the view is one of a
    /// bounded [`ThreadPool`], the pool accepts it for the job, even if its own queue is full.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the line; the others move up.
    ///
    /// # Errors
    /// [`Error::ShutDown`] if the executor is closed, or is closed meanwhile.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Limited, ThreadPool};
    ///
    /// # pollster::block_on(async {
    /// let pool = ThreadPool::default();
    /// let database = Limited::builder(pool).limit(1).queue_capacity(0).build();
    /// let first = database.reserve().await?.submit(|| 1);
    /// let second = database.reserve().await?.submit(|| 2); // once the first has ended
    /// assert_eq!(first.await? + second.await?, 3);
    /// # Ok::<(), offload_runtime::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<Self>, Error>> + Send + Sync + Unpin + use<E> {
        reserve(self.clone())
    }
}
