//! What tests of several topics need: doors that jobs wait at, values that are counted, waits that end.
//!
//! No test here sleeps to make something likely: what has to happen first is waited for. The waits are bounded by [`PATIENCE`],
//! so that a hang is a failure with a message, and by nothing that a slow machine could miss.

mod books;
mod gate;
mod panics;
mod pools;
mod tokens;
mod wait;
mod wakers;

pub use books::assert_balanced;
pub use gate::{Gate, Occupied};
pub use panics::{ON_PURPOSE, panic_message, panic_of, silence, with_hook};
pub use pools::{Keeping, Started, rayon_pool, tokio_runtime};
pub use tokens::{Token, Tokens};
pub use wait::{PATIENCE, eventually, finish, within};
pub use wakers::{Counting, poll_once, waker_of};
