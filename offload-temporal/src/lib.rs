#![doc = include_str!("guide/links.md")]
#![doc = include_str!("overview.md")]
// The chapters are Markdown files, so that they can be read where the repository is browsed, too. Each ends with the targets of its links for that
// case. Here those of `links.md` come first, and the first definition counts.

mod background;
mod backoff;
mod call;
mod outcome;
mod payload;
mod queue;
mod state;
mod task;
mod temporal;
mod worker;

pub mod guide {
    //! The guide: [`other_machines`] and their [`scale`].

    #[doc = include_str!("guide/links.md")]
    #[doc = include_str!("guide/other_machines.md")]
    pub mod other_machines {}

    #[doc = include_str!("guide/links.md")]
    #[doc = include_str!("guide/scale.md")]
    pub mod scale {}
}

pub use queue::RunningCall;
pub use state::CallState;
pub use temporal::Temporal;
#[doc(no_inline)]
pub use temporalio_client;
pub use worker::Worker;
