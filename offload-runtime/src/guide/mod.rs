#![doc = include_str!("links.md")]
#![doc = include_str!("README.md")]
// The chapters are Markdown files, so that they can be read where the repository is browsed, too. Each ends with the targets of its links for that
// case, which are files. Here the targets of `links.md` come first, and the first definition counts: items of the crate.

#[doc = include_str!("links.md")]
#[doc = include_str!("alternatives.md")]
pub mod alternatives {}

#[doc = include_str!("links.md")]
#[doc = include_str!("arguments.md")]
pub mod arguments {}

#[doc = include_str!("links.md")]
#[doc = include_str!("cancellation.md")]
pub mod cancellation {}

#[doc = include_str!("links.md")]
#[doc = include_str!("commands.md")]
pub mod commands {}

#[doc = include_str!("links.md")]
#[doc = include_str!("executors.md")]
pub mod executors {}

#[doc = include_str!("links.md")]
#[doc = include_str!("figures.md")]
pub mod figures {}

#[doc = include_str!("links.md")]
#[doc = include_str!("from_spawn_blocking.md")]
pub mod from_spawn_blocking {}

#[doc = include_str!("links.md")]
#[doc = include_str!("from_tornado.md")]
pub mod from_tornado {}

#[cfg(any(feature = "tokio", feature = "futures-io"))]
#[doc = include_str!("links.md")]
#[doc = include_str!("io.md")]
pub mod io {}

#[cfg(feature = "process")]
#[doc = include_str!("links.md")]
#[doc = include_str!("processes.md")]
pub mod processes {}

#[doc = include_str!("links.md")]
#[doc = include_str!("progress.md")]
pub mod progress {}

#[doc = include_str!("links.md")]
#[doc = include_str!("sqlite.md")]
pub mod sqlite {}

#[doc = include_str!("links.md")]
#[doc = include_str!("state.md")]
pub mod state {}

#[doc = include_str!("links.md")]
#[doc = include_str!("stopping.md")]
pub mod stopping {}

#[doc = include_str!("links.md")]
#[doc = include_str!("streams.md")]
pub mod streams {}

#[doc = include_str!("links.md")]
#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("links.md")]
#[doc = include_str!("waiting.md")]
pub mod waiting {}

#[doc = include_str!("links.md")]
#[doc = include_str!("writing_executors.md")]
pub mod writing_executors {}
