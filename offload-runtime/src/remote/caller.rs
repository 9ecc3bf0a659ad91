//! What a call tells a child process of its caller: the level of the caller's subscriber, and the text that stands for its trace.
//!
//! A span cannot cross: it is a number in its process's subscriber. The text is the user's own, by [`propagate`]. Without the feature `tracing`,
//! and without a subscriber, nothing is sent.

#[cfg(not(feature = "tracing"))]
use crate::context::CallerContext;

/// What crosses of a caller. An empty text stands for no trace.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    /// 0: not known. Then `OFF`, `ERROR` and so on to `TRACE`.
    pub(crate) level: u8,
    pub(crate) trace: String,
}

#[cfg(not(feature = "tracing"))]
impl Caller {
    pub(crate) fn of(_: &CallerContext) -> Self {
        Self::default()
    }

    #[expect(clippy::unused_self, reason = "the signature of the other")]
    pub(crate) fn arrive(&self, _: &CallerContext) {}

    #[expect(clippy::unused_self, reason = "the signature of the other")]
    pub(crate) fn while_it_runs<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

#[cfg(feature = "tracing")]
pub use traced::{caller_level, propagate};

#[cfg(feature = "tracing")]
mod traced {
    use std::sync::OnceLock;

    use tracing::Span;
    use tracing::level_filters::LevelFilter;

    use super::Caller;
    use crate::context::CallerContext;
    use crate::sync::{AtomicU64, Ordering};
    use crate::unwind::contain;

    type Inject = fn(&Span) -> Option<String>;
    type Extract = fn(&Span, &str);

    static PROPAGATION: OnceLock<(Inject, Extract)> = OnceLock::new();

    /// Chooses what crosses of a trace to child processes, as text. Feature `tracing`. To be called before [`init`](crate::process::init).
    ///
    /// `inject` runs in the caller's process when a call is submitted, on that thread. Its argument is the span `job` of the call, or the caller's span
    /// where that one is filtered out. It returns what is to cross, such as a `traceparent` header. A text of more than 65,535 bytes does not cross.
    /// Nothing crosses from a thread without a subscriber.
    ///
    /// `extract` runs in the child before the body. Its arguments are the child's span `job`, not yet entered, and the text. The text is also the
    /// field `trace` of that span, for subscribers that write lines. Where the child has no subscriber, or filters that span out, `extract` is
    /// not called.
    ///
    /// A panic of `inject` counts as `None`. A panic of `extract` is discarded.
    ///
    /// # Panics
    /// If it was called before in this process.
    ///
    /// # Examples
    /// The number of a request, in each line that a child writes:
    /// ```no_run
    /// use offload_runtime::process;
    /// use std::cell::Cell;
    ///
    /// thread_local! {
    ///     static REQUEST: Cell<Option<u64>> = const { Cell::new(None) };
    /// }
    ///
    /// fn main() {
    ///     // A subscriber is installed here: what follows `init` does not run in a child.
    ///     process::propagate(|_job| REQUEST.get().map(|id| id.to_string()), |_job, _text| ());
    ///     process::init();
    /// }
    /// ```
    /// The [guide](crate::guide::processes) has the pair for OpenTelemetry.
    pub fn propagate(inject: fn(&Span) -> Option<String>, extract: fn(&Span, &str)) {
        let set = PROPAGATION.set((inject, extract));
        assert!(set.is_ok(), "`offload_runtime::process::propagate` was called before");
    }

    /// By the byte that crosses. 0 stands for none.
    const LEVELS: [LevelFilter; 6] = [
        LevelFilter::OFF,
        LevelFilter::ERROR,
        LevelFilter::WARN,
        LevelFilter::INFO,
        LevelFilter::DEBUG,
        LevelFilter::TRACE,
    ];

    /// Of the call that this process runs.
    static LEVEL: AtomicU64 = AtomicU64::new(0);

    /// Returns, in a child process while it runs a call, the most verbose level that the caller's process took when it submitted the call.
    /// Feature `tracing`.
    ///
    /// `None` outside calls, and for a caller without a subscriber. A child's subscriber limits itself to that level by a filter that asks for it.
    /// A child runs one call at a time, so the level holds for all of its threads.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::process;
    /// use tracing::Metadata;
    ///
    /// /// For `tracing_subscriber::filter::dynamic_filter_fn`.
    /// fn caller_listens(metadata: &Metadata<'_>) -> bool {
    ///     process::caller_level().is_none_or(|level| *metadata.level() <= level)
    /// }
    /// assert!(process::caller_level().is_none()); // this is no child
    /// ```
    #[must_use]
    pub fn caller_level() -> Option<LevelFilter> {
        // ORDERING: Relaxed: nothing is published with it. The thread that runs the call has written it.
        let byte = usize::try_from(LEVEL.load(Ordering::Relaxed)).ok()?;
        LEVELS.get(byte.checked_sub(1)?).copied()
    }

    impl Caller {
        /// Of the call with this context, on the thread that submits it.
        pub(crate) fn of(context: &CallerContext) -> Self {
            let trace = context.trace();
            if !trace.has_subscriber() {
                return Self::default();
            }
            let current = LevelFilter::current();
            let level = (1..).zip(LEVELS).find(|(_, level)| *level == current).map_or(0, |(byte, _)| byte);
            let mut text = None;
            if let Some((inject, _)) = PROPAGATION.get() {
                contain(|| text = inject(trace.innermost()));
            }
            let text = text.filter(|text| u16::try_from(text.len()).is_ok());
            Self { level, trace: text.unwrap_or_default() }
        }

        /// In the child, before the body runs: the call with this context continues that trace.
        pub(crate) fn arrive(&self, context: &CallerContext) {
            let Some(job) = context.trace().job().filter(|_| !self.trace.is_empty()) else { return };
            contain(|| {
                job.record("trace", &*self.trace);
            });
            if let Some((_, extract)) = PROPAGATION.get() {
                contain(|| extract(job, &self.trace));
            }
        }

        /// In the child: `f` runs the call, and does not unwind.
        pub(crate) fn while_it_runs<R>(&self, f: impl FnOnce() -> R) -> R {
            // ORDERING: Relaxed, as in `caller_level`.
            LEVEL.store(self.level.into(), Ordering::Relaxed);
            let result = f();
            // ORDERING: Relaxed, as above.
            LEVEL.store(0, Ordering::Relaxed);
            result
        }
    }
}
