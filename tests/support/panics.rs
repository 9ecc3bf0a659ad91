//! Panics that a test wants, kept out of its output; and the process's panic hook, which one test at a time may exchange.

use std::any::Any;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};

/// What the message of a panic says that is there to be caught.
pub const ON_PURPOSE: &str = "on purpose";

/// Held by each test that exchanges the hook.
static HOOK: Mutex<()> = Mutex::new(());

/// From now on panics with [`ON_PURPOSE`] in their message, or without any message, are not reported.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _alone = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if message_of(info.payload()).is_some_and(|message| !message.contains(ON_PURPOSE)) {
                report(info);
            }
        }));
    });
}

/// Runs `f` with `hook` as the process's panic hook, and puts the other back.
pub fn with_hook<R>(hook: impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static, f: impl FnOnce() -> R) -> R {
    let _alone = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(hook));
    let result = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(before);
    result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

/// The payload of the panic of `f`, of which nothing is printed.
///
/// # Panics
/// If `f` does not panic.
#[track_caller]
pub fn panic_of<T>(f: impl FnOnce() -> T) -> Box<dyn Any + Send> {
    let result = with_hook(|_| {}, || catch_unwind(AssertUnwindSafe(f)));
    result.err().expect("it has to panic")
}

/// The message of the panic of `f`.
///
/// # Panics
/// If `f` does not panic, or without a message.
#[track_caller]
pub fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let payload = panic_of(f);
    message_of(&*payload).expect("a panic with a message").to_owned()
}

fn message_of(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
