//! What can be chosen about a view.

use std::fmt;

use super::Limited;
use crate::executor::Executor;

/// Configures a [`Limited`] view. Made by [`Limited::builder`].
///
/// # Examples
/// See [`Limited::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct LimitedBuilder<E> {
    executor: E,
    limit: usize,
    queue_capacity: Option<usize>,
    name: Option<String>,
    publish: Option<bool>,
}

impl<E: Executor + 'static> LimitedBuilder<E> {
    pub(super) fn new(executor: E) -> Self {
        Self { executor, limit: 1, queue_capacity: None, name: None, publish: None }
    }

    /// Sets how many of the view's jobs may run at once. Default: 1. [`Limited::set_limit`] changes it later.
    ///
    /// # Panics
    /// If `n` is zero.
    ///
    /// # Examples
    /// See [`Limited::builder`].
    pub fn limit(mut self, n: usize) -> Self {
        assert!(n > 0, "`LimitedBuilder::limit`: a view needs to run at least one job at once");
        self.limit = n;
        self
    }

    /// Sets how many jobs may wait. Beyond that, submitting refuses at once with [`Error::QueueFull`](crate::Error::QueueFull). Default: no
    /// bound.
    ///
    /// Jobs that a free place of the view takes up do not count. To wait for room instead, see [`Limited::reserve`].
    ///
    /// # Examples
    /// See [`Limited::builder`].
    pub fn queue_capacity(mut self, n: usize) -> Self {
        self.queue_capacity = Some(n);
        self
    }

    /// Sets the name under which its metrics are published. Default: the name of the executor and the limit, such as `db.limited(4)`.
    ///
    /// # Examples
    /// See [`Limited::builder`].
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets whether its figures go to the recorder of the `metrics` facade. Default: as those of its executor. See
    /// [`ThreadPoolBuilder::publish_metrics`](crate::ThreadPoolBuilder::publish_metrics).
    ///
    /// A view that is made for each request had better not publish: views with one name share their series, and the recorder is asked for its
    /// handles anew by each.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::{ExecutorExt, Limited, ThreadPool};
    ///
    /// let of_request = Limited::builder(ThreadPool::default()).limit(2).publish_metrics(false).build();
    /// assert_eq!(of_request.submit(|| 1).wait().unwrap(), 1);
    /// ```
    pub fn publish_metrics(mut self, publish: bool) -> Self {
        self.publish = Some(publish);
        self
    }

    /// Makes the view.
    ///
    /// # Examples
    /// See [`Limited::builder`].
    #[must_use]
    pub fn build(self) -> Limited<E> {
        let view = Limited::with_label(self.executor, self.limit, self.name, self.publish);
        match self.queue_capacity {
            Some(capacity) => view.queue_capacity(capacity),
            None => view,
        }
    }
}

impl<E> fmt::Debug for LimitedBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedBuilder")
            .field("limit", &self.limit)
            .field("queue_capacity", &self.queue_capacity)
            .field("name", &self.name)
            .field("publish_metrics", &self.publish)
            .finish_non_exhaustive()
    }
}
