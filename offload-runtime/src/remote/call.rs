//! One remote call: the only file of this folder that knows how jobs work.
//!
//! The job's closure captures a [`Body`], and the executor has the [`Call`], with the job in it. Both share a [`Slot`]. There are three ends, and the
//! job's claim decides between them:
//! * `complete`: the decoded result goes into the slot, then the job runs, which returns it (or goes on with a panic);
//! * `refuse`, or a dropped call: the job is refused;
//! * the handle is dropped or cancelled: the job's closure is dropped without having run, and the drop of its `Body` runs the cancellation hooks.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde::de::DeserializeOwned;

use super::codec::{Failure, Format};
use super::pack::Packer;
use super::registry::{Function, registry};
use super::{RemoteExecutor, local};
use crate::context::CallerContext;
use crate::error::{Error, Panic};
use crate::job::{self, CancelUnwind, Job, JobHandle, Origin, Unjudged};
use crate::site::Site;
use crate::sync::{self, Arc, Mutex};
use crate::unwind::{contain, discard};

/// One remote call, on its way to the executor that has it run elsewhere.
///
/// It is what a [`RemoteExecutor`] receives: the name of a function and its encoded arguments. It is `Send`, may be completed on any thread, and
/// resolves its handle exactly once, whatever the executor does with it.
///
/// **Dropping** a call that was not completed refuses it as [`Error::Lost`].
///
/// # Examples
/// An executor that answers all calls of one function by itself:
/// ```
/// use offload_runtime::Error;
/// use offload_runtime::remote::{Call, Failure, Format, RemoteExecutor};
///
/// struct Fake;
///
/// impl RemoteExecutor for Fake {
///     fn format(&self) -> Format {
///         Format::Json
///     }
///
///     fn execute(&self, call: Call) {
///         println!("{} sends {} bytes", call.site(), call.payload().len());
///         call.on_cancel(|| println!("its caller has left"));
///         if call.is_cancelled() {
///             return; // nothing is to be done for a call that is dropped
///         }
///         match &*call.function() {
///             "sum" => call.complete(Ok(b"42".to_vec())),
///             "later" => call.refuse(Error::QueueFull),
///             "here" => call.run_here(),
///             name => {
///                 let failure = Failure::UnknownFunction(name.to_owned());
///                 call.complete(Err(failure));
///             }
///         }
///     }
/// }
/// ```
#[must_use = "dropping a call refuses it as `Error::Lost`: complete it, refuse it, or pass it on"]
pub struct Call {
    /// `None` only while the call is being dropped, after one of its ends.
    job: Option<Job>,
    slot: Arc<dyn Reply>,
    function: &'static Function,
    site: &'static Site,
    format: Format,
    payload: Vec<u8>,
    #[cfg(feature = "process")]
    caller: super::Caller,
}

/// Encodes the arguments, makes the call, gives it to `executor` and returns its handle.
pub(crate) fn submit<T>(
    executor: &(impl RemoteExecutor + ?Sized),
    site: &'static Site,
    function: &'static Function,
    pack: impl FnOnce(&mut Packer),
) -> JobHandle<T>
where
    T: DeserializeOwned + Send + 'static,
{
    let format = executor.format();
    let mut packer = Packer::new(format);
    pack(&mut packer);
    let encoded = packer.end();
    let slot = Arc::new(Slot { end: Mutex::new(None), cancel: Cancel::default() });
    let body = Body(Arc::clone(&slot));
    let origin = Origin::of_site(site);
    let context = CallerContext::of(origin);
    #[cfg(feature = "process")]
    let caller = super::Caller::of(&context);
    let (job, handle) = job::pair_for(origin, move || body.end(), Unjudged, context);
    let mut call = Call {
        job: Some(job),
        slot,
        function,
        site,
        format,
        payload: Vec::new(),
        #[cfg(feature = "process")]
        caller,
    };
    match (encoded, registry().clash()) {
        (_, Some(clash)) => call.refuse(Error::Unavailable(clash.to_owned())),
        (Err(why), None) => call.refuse(Error::Codec(format!("the arguments: {why}"))),
        (Ok(payload), None) => {
            call.payload = payload;
            executor.execute(call);
        }
    }
    handle
}

impl Call {
    /// The name of the function: `module::method`, or the `name` that the attribute gave it.
    ///
    /// # Examples
    /// See [`Call`].
    #[must_use]
    pub fn function(&self) -> String {
        self.function.name()
    }

    /// The encoded arguments, in the executor's [`format`](RemoteExecutor::format).
    ///
    /// # Examples
    /// See [`Call`].
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Where in the source the call comes from.
    ///
    /// # Examples
    /// See [`Call`].
    #[must_use]
    pub fn site(&self) -> Site {
        *self.site
    }

    /// Whether the handle was dropped or cancelled, so that a result would not be seen.
    ///
    /// # Examples
    /// See [`Call`].
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.slot.cancel().is_cancelled()
    }

    /// Arranges that `hook` runs when the handle is dropped or cancelled before the call was completed.
    ///
    /// The hook runs once, on the thread that cancels, or at once if the call is cancelled already. It must not block. It is dropped when the call
    /// ends. A panic in it is caught. The handle does not wait for the executor: it has resolved as [`Error::Cancelled`] by then.
    ///
    /// # Examples
    /// See [`Call`].
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) {
        self.slot.cancel().add(Box::new(hook));
    }

    /// Ends the call with what the function returned, encoded, or with the reason why it returned nothing.
    ///
    /// The result is decoded here. One that cannot be decoded resolves the handle as [`Error::Codec`]. Does nothing if the call was cancelled.
    ///
    /// # Panics
    /// Never: a panic while the result is decoded goes to the handle.
    ///
    /// # Examples
    /// See [`Call`].
    pub fn complete(mut self, result: Result<Vec<u8>, Failure>) {
        if !self.slot.cancel().settle() {
            return;
        }
        let job = self.take_job();
        let failure = match result {
            Ok(bytes) => match catch_unwind(AssertUnwindSafe(|| self.slot.put(self.format, &bytes))) {
                Ok(Ok(())) => return job.run(),
                Ok(Err(why)) => return job.refuse(Error::Codec(format!("the result: {why}"))),
                Err(payload) => Failure::Panicked(local::text(payload)),
            },
            Err(failure) => failure,
        };
        match failure {
            Failure::UnknownFunction(name) => job.refuse(Error::UnknownFunction(name)),
            Failure::Codec(why) => job.refuse(Error::Codec(why)),
            Failure::Panicked(_) | Failure::Cancelled => {
                self.slot.put_failure(failure);
                job.run();
            }
        }
    }

    /// Ends the call with an error of the executor. Does nothing if the call was cancelled.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// See [`Call`].
    pub fn refuse(mut self, why: Error) {
        if self.slot.cancel().settle() {
            self.take_job().refuse(why);
        }
    }

    /// Runs the function on this thread and completes the call with what it returned.
    ///
    /// The call goes through the same encoding as anywhere else. In the body [`is_cancelled`](crate::is_cancelled) turns true, and
    /// [`on_cancel`](crate::on_cancel) hooks run, when the handle is dropped or cancelled.
    ///
    /// # Panics
    /// Never: a panic of the body goes to the handle, as text.
    ///
    /// # Examples
    /// See [`Call`].
    pub fn run_here(mut self) {
        let payload = std::mem::take(&mut self.payload);
        let cancel = |handle: Arc<JobHandle<()>>| self.on_cancel(move || handle.cancel());
        let (result, _) = local::run_cancellable(self.function, self.format, payload, |_| (), cancel);
        self.complete(result);
    }

    pub(super) fn begin_elsewhere(&mut self) -> (&'static Site, &'static Function, Format, Vec<u8>) {
        (self.site, self.function, self.format, std::mem::take(&mut self.payload))
    }

    fn take_job(&mut self) -> Job {
        self.job.take().expect("each end of a call consumes it")
    }
}

impl Call {
    pub(crate) fn origin(&self) -> Origin {
        Origin::of_site(self.site)
    }
}

#[cfg(feature = "process")]
impl Call {
    pub(crate) fn function_fingerprint(&self) -> super::Fingerprint {
        self.function.fingerprint()
    }

    pub(crate) fn static_site(&self) -> &'static Site {
        self.site
    }

    /// What crosses of the caller. To be taken once.
    pub(crate) fn take_caller(&mut self) -> super::Caller {
        std::mem::take(&mut self.caller)
    }

    /// The payload, to be sent and freed.
    pub(crate) fn take_payload(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.payload)
    }

    /// What `on_cancel` works on, for an executor that has given the call away by then.
    pub(crate) fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.slot))
    }
}

/// The cancellation of a call that is elsewhere.
#[cfg(feature = "process")]
pub(crate) struct Canceller(Arc<dyn Reply>);

#[cfg(feature = "process")]
impl Canceller {
    /// As [`Call::on_cancel`].
    pub(crate) fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) {
        self.0.cancel().add(Box::new(hook));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.slot.cancel().settle() {
            // Its drop says `Error::Lost`.
            drop(self.job.take());
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("function", &self.function())
            .field("site", &self.site)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// The slot of a call, whatever its result's type.
trait Reply: Send + Sync {
    fn cancel(&self) -> &Cancel;
    fn put(&self, format: Format, bytes: &[u8]) -> Result<(), String>;
    fn put_failure(&self, failure: Failure);
}

struct Slot<T> {
    end: Mutex<Option<Result<T, Failure>>>,
    cancel: Cancel,
}

impl<T: DeserializeOwned + Send> Reply for Slot<T> {
    fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn put(&self, format: Format, bytes: &[u8]) -> Result<(), String> {
        let value = format.decode(bytes)?;
        *sync::lock(&self.end) = Some(Ok(value));
        Ok(())
    }

    fn put_failure(&self, failure: Failure) {
        *sync::lock(&self.end) = Some(Err(failure));
    }
}

/// What the job's closure captures.
struct Body<T>(Arc<Slot<T>>);

impl<T> Body<T> {
    /// The body of the job, which is over as it begins.
    fn end(self) -> T {
        let end = sync::lock(&self.0.end).take();
        match end.expect("a call fills the slot before it runs the job") {
            Ok(value) => value,
            Err(Failure::Cancelled) => resume_unwind(Box::new(CancelUnwind)),
            Err(Failure::Panicked(message)) => resume_unwind(Box::new(message)),
            Err(other) => resume_unwind(Box::new(other.to_string())),
        }
    }
}

impl<T> Drop for Body<T> {
    fn drop(&mut self) {
        // Does nothing if the call has come to an end of its own.
        self.0.cancel.run();
        // Of a result that came as the handle was dropped.
        discard(sync::lock(&self.0.end).take());
    }
}

type Hook = Box<dyn FnOnce() + Send>;

/// The cancellation of one call.
#[derive(Default)]
struct Cancel(Mutex<State>);

enum State {
    Live(Vec<Hook>),
    Cancelled,
    /// The call has ended in another way.
    Settled,
}

impl Default for State {
    fn default() -> Self {
        Self::Live(Vec::new())
    }
}

impl Cancel {
    fn is_cancelled(&self) -> bool {
        matches!(*sync::lock(&self.0), State::Cancelled)
    }

    fn add(&self, hook: Hook) {
        let mut state = sync::lock(&self.0);
        match &mut *state {
            State::Live(hooks) => hooks.push(hook),
            State::Cancelled => {
                drop(state);
                contain(hook);
            }
            State::Settled => {
                drop(state);
                discard(hook);
            }
        }
    }

    fn run(&self) {
        for hook in self.leave_live(State::Cancelled) {
            contain(hook);
        }
    }

    /// The call ends. `false`: it was cancelled before, or has ended.
    fn settle(&self) -> bool {
        let mut state = sync::lock(&self.0);
        let State::Live(hooks) = &mut *state else { return false };
        let hooks = std::mem::take(hooks);
        *state = State::Settled;
        drop(state);
        discard(hooks);
        true
    }

    fn leave_live(&self, next: State) -> Vec<Hook> {
        let mut state = sync::lock(&self.0);
        let State::Live(hooks) = &mut *state else { return Vec::new() };
        let hooks = std::mem::take(hooks);
        *state = next;
        hooks
    }
}

/// The message of a panic, as text.
pub(super) fn message(payload: Box<dyn std::any::Any + Send>) -> String {
    let panic = Panic::new(payload);
    let message = panic.message().unwrap_or("a payload that is not text").to_owned();
    discard(panic);
    message
}
