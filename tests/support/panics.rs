//! Panics that a test wants, kept out of its output.

use std::sync::Once;

/// What the message of a panic says that is there to be caught.
pub const ON_PURPOSE: &str = "on purpose";

/// From now on panics with [`ON_PURPOSE`] in their message, or without any message, are not reported.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload_as_str().is_some_and(|message| !message.contains(ON_PURPOSE)) {
                report(info);
            }
        }));
    });
}
