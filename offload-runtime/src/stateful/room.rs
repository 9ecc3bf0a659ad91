//! Room in a pool whose threads own something: waiting for it, and what is said of it.

use super::{StatefulExecutor, StatefulPool, pair_with};
use crate::context::CallerContext;
use crate::error::Error;
use crate::job::{JobHandle, Origin, Unjudged};
use crate::limited::Limited;
use crate::permit::{Permit, reserve};
#[cfg(doc)]
use crate::pool::ThreadPool;
use crate::refused::Refused;

impl<S: 'static> StatefulPool<S> {
    /// Submits `f` if the pool has room, and gives it back otherwise.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// [`Refused`], which holds `f` and the reason: [`Error::QueueFull`] or [`Error::ShutDown`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, StatefulPool};
    ///
    /// let counters = StatefulPool::new(1, || Ok::<_, std::io::Error>(0));
    /// let count = |counter: &mut i32| {
    ///     *counter += 1;
    ///     *counter
    /// };
    /// assert_eq!(counters.try_submit_with(count)?.wait()?, 1);
    /// counters.close();
    /// assert!(matches!(counters.try_submit_with(count).unwrap_err().error(), Error::ShutDown));
    /// # Ok::<(), Error>(())
    /// ```
    #[track_caller]
    pub fn try_submit_with<F, T>(&self, f: F) -> Result<JobHandle<T>, Refused<F>>
    where
        F: FnOnce(&mut S) -> T + Send + 'static,
        T: Send + 'static,
    {
        let origin = Origin::of_caller();
        self.pool.try_submit_as(origin, f, |f, context| pair_with(origin, Unjudged, f, context))
    }

    /// Waits for a place in the queue, as [`ThreadPool::reserve`] does: first come, first served.
    ///
    /// # Cancel safety
    /// Dropping the future gives the turn, or the place, to the next caller.
    ///
    /// # Errors
    /// [`Error::ShutDown`] once the pool is closed.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, StatefulPool};
    ///
    /// # pollster::block_on(async {
    /// let counters = StatefulPool::builder().max_threads(1).queue_capacity(10).open(|| Ok::<_, std::io::Error>(0));
    /// let permit = counters.reserve().await?;
    /// let handle = permit.submit_with(|counter: &mut i32| {
    ///     *counter += 1;
    ///     *counter
    /// });
    /// assert_eq!(handle.await?, 1);
    /// # Ok::<(), Error>(())
    /// # }).unwrap();
    /// ```
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<Self>, Error>> + Send + Sync + Unpin + use<S> {
        reserve(self.clone())
    }

    /// Resolves when nothing is queued and no job runs, as [`ThreadPool::wait_idle`] does.
    ///
    /// # Cancel safety
    /// The future may be dropped at any time, and made again.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    ///
    /// # pollster::block_on(async {
    /// let logs = StatefulPool::new(2, || Ok::<_, std::io::Error>(Vec::new()));
    /// for i in 0..10 {
    ///     logs.submit_with(move |log| log.push(i)).detach();
    /// }
    /// logs.wait_idle().await;
    /// assert_eq!(logs.metrics().completed(), 10);
    /// # });
    /// ```
    pub fn wait_idle(&self) -> impl Future<Output = ()> + Send + Sync + Unpin + use<S> {
        self.pool.wait_idle()
    }

    /// Changes how many threads there may be, and so how many states, see [`ThreadPool::set_max_threads`].
    ///
    /// A thread that is too many drops its state when it leaves, after the keep-alive. With `n` = 1 the pool is an
    /// [actor](StatefulPool#one-thread-an-actor) from then on, and with more it no longer is: a job may await others.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::StatefulPool;
    ///
    /// let pool = StatefulPool::new(1, || Ok::<_, std::io::Error>(0));
    /// pool.set_max_threads(4);
    /// assert_eq!(pool.metrics().max_threads(), 4);
    /// # pool.submit_with(|_| ()).wait().unwrap();
    /// ```
    pub fn set_max_threads(&self, n: usize) {
        self.pool.set_max_threads(n);
    }
}

impl<E: StatefulExecutor> Limited<E> {
    /// Submits `f` if the view has room, and gives it back otherwise. As [`try_submit`](Self::try_submit), with the state of the thread it runs on.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// [`Refused`], which holds `f` and the reason: [`Error::QueueFull`] or [`Error::ShutDown`]. If the state cannot be opened, the handle resolves to
    /// [`Error::State`].
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{Error, StatefulPool};
    ///
    /// let counters = StatefulPool::new(4, || Ok::<_, std::io::Error>(0));
    /// let view = counters.limited(1).queue_capacity(0);
    /// let (end, wait) = std::sync::mpsc::channel::<()>();
    /// let first = view.submit_with(move |_| wait.recv().unwrap());
    /// let refused = view.try_submit_with(|counter: &mut i32| *counter).unwrap_err();
    /// assert!(matches!(refused.error(), Error::QueueFull));
    /// end.send(()).unwrap();
    /// first.wait()?;
    /// assert_eq!(view.try_submit_with(refused.into_inner())?.wait()?, 0);
    /// # Ok::<(), Error>(())
    /// ```
    #[track_caller]
    pub fn try_submit_with<F, T>(&self, f: F) -> Result<JobHandle<T>, Refused<F>>
    where
        F: FnOnce(&mut E::State) -> T + Send + 'static,
        T: Send + 'static,
    {
        let origin = Origin::of_caller();
        self.try_submit_as(origin, f, |f, context| pair_with::<E::State, _, _>(origin, Unjudged, f, context))
    }
}

impl<E: StatefulExecutor> Permit<E> {
    /// Submits `f`, which is called with the state of its thread, as [`submit`](Self::submit) does.
    ///
    /// # Cancel safety
    /// Dropping the handle cancels the job, see [`JobHandle`].
    ///
    /// # Errors
    /// None here. If the executor was closed meanwhile, the handle resolves to [`Error::ShutDown`]; if the state cannot be opened, to
    /// [`Error::State`].
    ///
    /// # Examples
    /// See [`StatefulPool::reserve`].
    #[track_caller]
    pub fn submit_with<F, T>(self, f: F) -> JobHandle<T>
    where
        F: FnOnce(&mut E::State) -> T + Send + 'static,
        T: Send + 'static,
    {
        let origin = Origin::of_caller();
        let context = CallerContext::entering(self.enters_runtime(), origin);
        let (job, handle) = pair_with::<E::State, _, _>(origin, Unjudged, f, context);
        self.execute(job);
        handle
    }
}
