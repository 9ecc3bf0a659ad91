//! Remote calls: the arguments and the result cross as bytes, to a child process or to another machine.
//!
//! | File | What lives there |
//! |---|---|
//! | `call.rs` | one call, and its job |
//! | `caller.rs` | what a child process learns of the caller's trace |
//! | `codec.rs`, `pack.rs` | bytes, and what comes back instead of a result |
//! | `registry.rs` | the functions of this program, by name |
//! | `meter.rs` | the figures of a remote executor |
//! | `local.rs` | the worker's side, and calls that stay in this process |
//! | `generated.rs` | what generated code names |
//!
//! A call goes through four hands, and each of them needs only the next:
//! ```text
//! method ── encodes the arguments ──▶ Call ── execute ──▶ RemoteExecutor ── bytes ──▶ serve: decodes, runs, encodes
//!   ▲                                                          │
//!   └── JobHandle ◀── decodes the result ── complete / refuse ─┘
//! ```
//! The job of a call waits, unclaimed, until the executor completes or refuses the call. So dropping its handle claims it, at any time, and the call
//! learns of that by the drop of what the job captured.

mod call;
#[cfg(feature = "process")]
mod caller;
mod codec;
mod local;
mod meter;
mod pack;
mod registry;

pub use call::Call;
#[cfg(feature = "process")]
pub(crate) use caller::Caller;
#[cfg(all(feature = "process", feature = "tracing"))]
pub use caller::{caller_level, propagate};
pub use codec::{Failure, Format};
pub use local::{Local, serve};
#[cfg(feature = "process")]
pub(crate) use local::{note_location, run_cancellable};
pub use meter::{Meter, MeteredCall};
#[cfg(feature = "process")]
pub(crate) use registry::{Fingerprint, registry};

pub(crate) use call::submit;
#[cfg(feature = "process")]
pub(crate) use meter::outcome_of;

#[doc(inline)]
pub use crate::metrics::RemoteMetrics;

use std::sync::Arc;

/// Runs remote calls.
///
/// A remote executor receives [`Call`]s: the name of a function and its encoded arguments. It has the function run elsewhere and completes the call with
/// the encoded result. The handle, cancellation and decoding are the call's own affair.
///
/// # The contract
/// * It **completes** each call ([`Call::complete`]) or **refuses** it ([`Call::refuse`]), once, on any thread. A call that it drops resolves as
///   [`Error::Lost`](crate::Error::Lost).
/// * `execute` is called from async code and should return at once.
/// * It runs a call at most once, unless its documentation says otherwise.
/// * It may complete a call that was cancelled: that does nothing.
///
/// A [`Meter`] gives it the metrics that pools have.
///
/// # Examples
/// An executor that gives each call a thread of this process:
/// ```
/// use offload_runtime::remote::{Call, Format, RemoteExecutor};
///
/// struct ThreadPerCall;
///
/// impl RemoteExecutor for ThreadPerCall {
///     fn format(&self) -> Format {
///         Format::Json
///     }
///
///     fn execute(&self, call: Call) {
///         // If the thread cannot be started, the closure is dropped, and the call with it: `Error::Lost`.
///         let _ = std::thread::Builder::new().spawn(|| call.run_here());
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not run remote calls",
    label = "this must be something that runs remote calls",
    note = "remote executors are `process::ProcessPool` (feature `process`), `remote::Local`, and references, `Arc`s and `Box`es of these",
    note = "for a thread executor remove the word `remote`, or wrap the executor in `remote::Local`"
)]
pub trait RemoteExecutor: Send + Sync {
    /// How arguments and results are encoded.
    ///
    /// # Examples
    /// See [`RemoteExecutor`].
    fn format(&self) -> Format;

    /// Takes `call` over: completes it or refuses it, now or later.
    ///
    /// # Examples
    /// See [`RemoteExecutor`].
    fn execute(&self, call: Call);
}

macro_rules! forward {
    () => {
        fn format(&self) -> Format {
            (**self).format()
        }

        fn execute(&self, call: Call) {
            (**self).execute(call);
        }
    };
}

impl<E: RemoteExecutor + ?Sized> RemoteExecutor for &E {
    forward!();
}

impl<E: RemoteExecutor + ?Sized> RemoteExecutor for Arc<E> {
    forward!();
}

impl<E: RemoteExecutor + ?Sized> RemoteExecutor for Box<E> {
    forward!();
}

/// What generated code names, beside what is public.
pub(crate) mod generated_parts {
    pub use super::pack::{Packer, Unpacker};
    pub use super::registry::{Function, Registration};
}
