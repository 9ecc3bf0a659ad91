//! The attribute adds no warning to code that gives none: every rustc lint group and most of clippy is denied.
//!
//! `cargo clippy` is what checks the second half; `ci/` runs it.

#![deny(warnings, unused, nonstandard_style, future_incompatible, rust_2018_idioms)]
#![deny(
    let_underscore_drop,
    missing_debug_implementations,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![forbid(unsafe_code)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo)]
#![allow(clippy::multiple_crate_versions, clippy::cargo_common_metadata, reason = "of the workspace, not of this code")]
#![allow(clippy::unused_self, clippy::needless_pass_by_value, reason = "the plain methods would give these")]
// The restriction lints that look at what generated code is made of.
#![deny(
    clippy::absolute_paths,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::default_numeric_fallback,
    clippy::dbg_macro,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::get_unwrap,
    clippy::if_then_some_else_none,
    clippy::impl_trait_in_params,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::mem_forget,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::pub_use,
    clippy::ref_patterns,
    clippy::semicolon_inside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::single_call_fn,
    clippy::std_instead_of_core,
    clippy::string_add,
    clippy::unreachable,
    clippy::unseparated_literal_suffix,
    clippy::unwrap_used,
    clippy::use_debug,
    clippy::wildcard_enum_match_arm
)]
#![allow(clippy::single_call_fn, reason = "methods are called once, by the test")]

use core::fmt;
use offload_runtime::{StatefulPool, ThreadPool, blocking};
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    executor: ThreadPool,
    words: Arc<[String]>,
}

/// A permit, held while the body runs.
#[derive(Debug)]
struct Permit;

impl Service {
    /// Finds.
    #[blocking]
    pub(crate) fn find(&self, text: &str, path: &Path, mut count: usize, _permit: Permit, _: &str) -> Option<usize> {
        count = count.checked_add(path.as_os_str().len())?;
        self.words.iter().position(|word| word == text).and_then(|at| at.checked_add(count))
    }

    #[blocking]
    fn nothing(&self) {}

    #[blocking]
    #[rustfmt::skip]
    fn one_line(&self) -> usize { self.words.len() }

    #[blocking]
    fn unit(&self, line: &str) {
        println!("{line}");
    }

    #[blocking(sync = twin_sync)]
    fn twin(&self, (left, _): (usize, u8), name: Cow<'_, str>, _ignored: Option<&str>) -> usize {
        left.saturating_add(name.len())
    }

    #[blocking(sync = expected_sync)]
    #[expect(clippy::needless_pass_by_value, reason = "the twin gives these")]
    fn expected(&self, text: String) -> usize {
        text.len()
    }

    #[blocking(sync = quiet_sync)]
    fn quiet(&self, text: String, (mut left, right): (usize, usize)) -> usize {
        left = left.saturating_add(right);
        left.saturating_add(text.len())
    }

    #[blocking(executor = self.pick(name, 1, &list), sync = Self::chosen_sync)]
    fn chosen(&self, name: &str, list: Vec<u8>, (first, _): (u8, u8)) -> usize {
        name.len().saturating_add(list.len()).saturating_add(usize::from(first))
    }

    #[blocking(executor = self.pick(name, 1, &[]), with(words = Arc::clone(&self.words)))]
    fn captured(&self, name: &str, #[into] key: Vec<u8>, #[as_ref] path: &Path) -> usize {
        words.len().saturating_add(key.len()).saturating_add(path.as_os_str().len())
    }

    const fn pick(&self, _: &str, _: usize, _: &[u8]) -> &ThreadPool {
        &self.executor
    }

    #[blocking(handle)]
    fn handle(self: Arc<Self>, text: Option<&str>) -> usize {
        text.map_or(0, str::len)
    }

    #[blocking(boxed)]
    fn boxed(&self, text: &str) -> usize {
        text.len()
    }

    #[blocking(executor = self.executor.clone())]
    fn expression(self) -> usize {
        self.words.len()
    }

    #[blocking]
    fn items(&self) -> usize {
        /// An item first, as `clippy::items_after_statements` wants it.
        const ONE: usize = 1;
        const fn inner() -> usize {
            ONE
        }
        inner()
    }

    #[blocking(refused = panic)]
    fn returns_early(&self, stop: bool) -> Result<(), fmt::Error> {
        if stop {
            return Err(fmt::Error);
        }
        Ok(())
    }

    #[blocking]
    fn result(&self, wrong: bool) -> io::Result<u8> {
        if wrong { Err(io::ErrorKind::NotFound.into()) } else { Ok(1) }
    }
}

/// A service whose threads own a text.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    db: StatefulPool<String>,
}

#[blocking(executor = db)]
impl Log {
    #[blocking(sync = append_sync)]
    fn append(&self, #[state] text: &mut String, more: &str) -> usize {
        text.push_str(more);
        text.len()
    }

    #[blocking]
    fn length(&self, #[state] text: &String) -> usize {
        text.len()
    }

    #[blocking]
    fn ignored(&self, #[state] _: &mut String, _text: &str) {}
}

/// A trait with a default.
pub trait Default: Clone + Send + Sync + 'static {
    /// The executor.
    fn executor(&self) -> &ThreadPool;

    /// Blocks.
    #[blocking(executor = self.executor())]
    fn default_method(&self, text: &str) -> usize {
        text.len()
    }
}

impl Default for Service {
    fn executor(&self) -> &ThreadPool {
        &self.executor
    }
}

#[blocking]
fn free(text: &str) -> usize {
    text.len()
}

#[test]
fn it_works_as_well() {
    let service = Service { executor: ThreadPool::new(1), words: ["ada".to_owned()].into() };
    pollster::block_on(async {
        assert_eq!(service.find("ada", Path::new("p"), 1, Permit, "").await, Some(2));
        service.nothing().await;
        service.unit("line").await;
        assert_eq!(service.twin((1, 2), "n".into(), None).await, service.twin_sync((1, 2), "n".into(), None));
        assert_eq!(Arc::new(service.clone()).handle(Some("x")).await.ok(), Some(1));
        assert_eq!(service.boxed("four").await, 4);
        assert_eq!(service.expected("x".to_owned()).await, service.expected_sync("x".to_owned()));
        assert_eq!(service.quiet("x".to_owned(), (1, 2)).await, service.quiet_sync("x".to_owned(), (1, 2)));
        assert_eq!(service.chosen("four", vec![], (1, 2)).await, service.chosen_sync("four", vec![], (1, 2)));
        assert_eq!(service.captured("", "k", "p").await, 3);
        assert_eq!(service.clone().expression().await, 1);
        assert_eq!(service.items().await, 1);
        assert_eq!(service.one_line().await, 1);
        assert!(service.returns_early(true).await.is_err());
        assert!(service.result(true).await.is_err());
        assert_eq!(service.default_method("four").await, 4);
        assert_eq!(free("four").await, 4);
        let log = Log { db: StatefulPool::new(1, || Ok::<_, io::Error>(String::new())) };
        assert_eq!(log.append("x").await, log.append_sync(&mut String::new(), "x"));
        assert_eq!(log.length().await, 1);
        log.ignored("x").await;
    });
}
