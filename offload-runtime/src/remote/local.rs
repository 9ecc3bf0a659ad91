//! The worker's side of a call, and [`Local`], which has no other side.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use super::RemoteExecutor;
use super::call::{self, Call};
use super::codec::{Failure, Format};
use super::registry::{Function, registry};
use crate::adapters::Inline;
use crate::context::CallerContext;
use crate::error::Error;
use crate::executor::Executor;
use crate::ext::{ExecutorExt, submit_at};
use crate::job::{self, CancelUnwind, JobHandle, Origin, Unjudged};
use crate::sync::{self, Arc, Mutex};

/// Runs remote calls on the threads of an executor of this process, through the same encoding.
///
/// For tests of code that is made for a `ProcessPool` or for other machines: what does not survive the encoding fails here as well. A crash of
/// the body still ends this process.
///
/// # Examples
/// ```
/// use offload_runtime::ThreadPool;
/// use offload_runtime::remote::Local;
///
/// let workers = Local(ThreadPool::new(4));
/// println!("{workers:?}");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Local<E>(pub E);

impl<E: Executor> RemoteExecutor for Local<E> {
    fn format(&self) -> Format {
        Format::Postcard
    }

    fn execute(&self, mut call: Call) {
        let (site, function, format, arguments) = call.begin_elsewhere();
        let body = move || {
            let result = function.run(format, &arguments);
            // A result is not seen before the arguments are gone.
            drop(arguments);
            result
        };
        Bridge::connect(submit_at(&self.0, site, Unjudged, body), call);
    }
}

/// Runs the function that is called `function` on `executor`, for a worker that receives calls from another process.
///
/// The handle resolves to what [`Call::complete`] takes on the other side. A panic and a refusal are errors of the handle, as for any job; see
/// [`Failure::of`] for what to send then. Cancelling the handle makes [`is_cancelled`](crate::is_cancelled) true in the body.
///
/// # Examples
/// ```
/// use offload_runtime::ThreadPool;
/// use offload_runtime::remote::{Failure, Format, serve};
///
/// let pool = ThreadPool::new(1);
/// let reply = pollster::block_on(serve(&pool, "no::such::function", Format::Json, Vec::new()));
/// assert_eq!(reply.unwrap(), Err(Failure::UnknownFunction("no::such::function".into())));
/// ```
pub fn serve(
    executor: &(impl Executor + ?Sized),
    function: &str,
    format: Format,
    arguments: Vec<u8>,
) -> JobHandle<Result<Vec<u8>, Failure>> {
    if let Some(function) = registry().find(function) {
        submit_at(executor, function.site(), Unjudged, move || function.run(format, &arguments))
    } else {
        let failure = Failure::UnknownFunction(function.to_owned());
        Inline.submit(move || Err(failure))
    }
}

impl Failure {
    /// What a worker sends for a call that ended in `error` there. `Err` gives the error back if the call did not run: it was refused by the
    /// worker's executor, and another worker may have it.
    ///
    /// # Errors
    /// As said: all but a panic and a cancellation.
    ///
    /// # Examples
    /// ```
    /// use offload_runtime::remote::Failure;
    /// use offload_runtime::{Error, ExecutorExt, Inline};
    ///
    /// # std::panic::set_hook(Box::new(|_| {}));
    /// let error = pollster::block_on(Inline.submit(|| -> u32 { panic!("out of cheese") })).unwrap_err();
    /// assert_eq!(Failure::of(error).unwrap(), Failure::Panicked("out of cheese".into()));
    /// assert!(matches!(Failure::of(Error::QueueFull), Err(Error::QueueFull)));
    /// ```
    pub fn of(error: Error) -> Result<Self, Error> {
        match error {
            Error::Panicked(panic) => Ok(Self::Panicked(text(panic.into_payload()))),
            Error::Cancelled => Ok(Self::Cancelled),
            Error::Codec(why) => Ok(Self::Codec(why)),
            refused => Err(refused),
        }
    }
}

/// Runs `function` on this thread, as a job that `register` can have cancelled. `arrive` has a look at its context before. Returns
/// the buffer of the arguments, too, unless the call was cancelled before it ran. Never unwinds.
pub(crate) fn run_cancellable(
    function: &'static Function,
    format: Format,
    arguments: Vec<u8>,
    arrive: impl FnOnce(&CallerContext),
    register: impl FnOnce(Arc<JobHandle<()>>),
) -> (Result<Vec<u8>, Failure>, Vec<u8>) {
    LOCATION.with_borrow_mut(Option::take);
    let result = Arc::new(Mutex::new(None));
    let of_body = Arc::clone(&result);
    let origin = Origin::of_site(function.site());
    let context = CallerContext::of(origin);
    arrive(&context);
    let body = move || {
        let run = catch_unwind(AssertUnwindSafe(|| function.run(format, &arguments)));
        let (result, payload) = match run {
            Ok(result) => (result, None),
            Err(payload) if payload.is::<CancelUnwind>() => (Err(Failure::Cancelled), Some(payload)),
            Err(payload) => {
                let text = text(payload);
                (Err(Failure::Panicked(text.clone())), Some(Box::new(text) as Box<dyn Any + Send>))
            }
        };
        *sync::lock(&of_body) = Some((result, arguments));
        if let Some(payload) = payload {
            // So that the job's span and counts see how it ended. The panic hook has been called.
            resume_unwind(payload);
        }
    };
    let (job, handle) = job::pair_for(origin, body, Unjudged, context);
    register(Arc::new(handle));
    job.run();
    // Nothing is there if the handle has cancelled the job before it ran.
    sync::lock(&result).take().unwrap_or((Err(Failure::Cancelled), Vec::new()))
}

std::thread_local! {
    /// Where the last panic of this thread was, if a panic hook of this crate has been told.
    pub(super) static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes where a panic of this thread is. To be called by a panic hook.
#[cfg(feature = "process")]
pub(crate) fn note_location(location: String) {
    let _ = LOCATION.try_with(|last| *last.borrow_mut() = Some(location));
}

/// A panic as it crosses: its message and, where that is known, its location.
pub(super) fn text(payload: Box<dyn Any + Send>) -> String {
    let message = call::message(payload);
    match LOCATION.try_with(|last| last.borrow_mut().take()) {
        Ok(Some(location)) => format!("{message}, at {location}"),
        _ => message,
    }
}

/// Completes a call when the job that runs its function has ended. It is that job's waker.
struct Bridge {
    inner: Mutex<Inner>,
}

struct Inner {
    call: Option<Call>,
    /// Taken out by a thread that polls or cancels, as neither may happen under a lock.
    handle: Option<JobHandle<Result<Vec<u8>, Failure>>>,
    /// A wake came while the handle was out.
    woken: bool,
}

impl Bridge {
    fn connect(handle: JobHandle<Result<Vec<u8>, Failure>>, call: Call) {
        let bridge = Arc::new(Self { inner: Mutex::new(Inner { call: None, handle: Some(handle), woken: true }) });
        let of_hook = Arc::downgrade(&bridge);
        call.on_cancel(move || {
            if let Some(bridge) = of_hook.upgrade() {
                bridge.cancel();
            }
        });
        sync::lock(&bridge.inner).call = Some(call);
        let handle = sync::lock(&bridge.inner).handle.take();
        if let Some(handle) = handle {
            bridge.give_back(handle);
        }
    }

    fn cancel(self: Arc<Self>) {
        let handle = sync::lock(&self.inner).handle.take();
        // Otherwise the job has ended, and another thread is fetching its result.
        if let Some(handle) = handle {
            handle.cancel();
            self.give_back(handle);
        }
    }

    /// Puts the handle back; but polls it before that, each time that a wake has come meanwhile.
    fn give_back(self: Arc<Self>, mut handle: JobHandle<Result<Vec<u8>, Failure>>) {
        let waker = Waker::from(Arc::clone(&self));
        loop {
            let mut inner = sync::lock(&self.inner);
            if !std::mem::take(&mut inner.woken) {
                inner.handle = Some(handle);
                return;
            }
            drop(inner);
            if let Poll::Ready(result) = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)) {
                let call = sync::lock(&self.inner).call.take();
                if let Some(call) = call {
                    finish(call, result);
                }
                return;
            }
        }
    }
}

impl Wake for Bridge {
    fn wake(self: Arc<Self>) {
        let mut inner = sync::lock(&self.inner);
        inner.woken = true;
        let handle = inner.handle.take();
        drop(inner);
        if let Some(handle) = handle {
            self.give_back(handle);
        }
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").finish_non_exhaustive()
    }
}

fn finish(call: Call, result: Result<Result<Vec<u8>, Failure>, Error>) {
    match result.map_err(Failure::of) {
        Ok(result) => call.complete(result),
        Err(Ok(failure)) => call.complete(Err(failure)),
        Err(Err(refused)) => call.refuse(refused),
    }
}
