//! The attribute on a whole impl block or trait.

use crate::run;
use async_trait::async_trait;
use futures::StreamExt as _;
use offload_runtime::{Error, Executor, Inline, Job, Site, blocking};
use std::sync::{Arc, Mutex};

/// Remembers the sites of the jobs it runs.
#[derive(Clone, Default)]
struct Remembering(Arc<Mutex<Vec<Site>>>);

impl Executor for Remembering {
    fn execute(&self, job: Job) {
        self.0.lock().unwrap().push(job.site());
        Inline.execute(job);
    }
}

impl Remembering {
    fn shown(&self) -> Vec<String> {
        self.0.lock().unwrap().drain(..).map(|site| site.to_string()).collect()
    }
}

#[derive(Clone, Default)]
struct Notes {
    db: Remembering,
    files: Remembering,
}

static GLOBAL: std::sync::LazyLock<Remembering> = std::sync::LazyLock::new(Remembering::default);

#[blocking(executor = db, refused = panic)]
impl Notes {
    /// Counts.
    #[blocking]
    fn count(&self) -> Result<usize, std::num::ParseIntError> {
        "1".parse()
    }

    #[blocking(executor = files, sync = read_sync)]
    fn read(&self, name: &str) -> usize {
        name.len()
    }

    fn plain(&self) -> usize {
        3
    }

    #[cfg_attr(not(any()), blocking(handle))]
    fn submitted(&self) -> usize {
        4
    }

    #[blocking(executor = *GLOBAL, sync = create_sync)]
    fn create() -> usize {
        5
    }
}

/// What waits for room, but where a method submits in the call itself.
#[blocking(executor = files, wait)]
impl Notes {
    #[blocking(sync = waits_sync)]
    fn waits(&self) -> usize {
        6
    }

    #[blocking(handle, sync = submits_sync)]
    fn submits(&self) -> usize {
        7
    }

    #[blocking(stream)]
    fn streams(&self) -> std::ops::Range<usize> {
        0..8
    }
}

#[test]
fn a_method_with_a_result_of_its_own_does_not_wait_as_its_block_does() {
    let notes = Notes::default();
    assert_eq!(run(notes.waits()) + notes.waits_sync(), 12);
    assert_eq!(run(notes.submits()).unwrap() + notes.submits_sync(), 14);
    assert_eq!(run(notes.streams().count()), 8);
}

#[test]
fn marked_methods_share_the_options_of_their_block() {
    let notes = Notes::default();
    assert_eq!(run(notes.count()), Ok(1));
    assert_eq!(run(notes.read("four")) + notes.read_sync("four"), 8);
    assert_eq!(notes.plain(), 3);
    assert_eq!(run(Notes::create()) + Notes::create_sync(), 10);
    assert_eq!(run(notes.submitted()).unwrap(), 4);
    assert_eq!(notes.db.shown(), ["Notes::count", "Notes::submitted"]);
    assert_eq!(notes.files.shown(), ["Notes::read"]);
    assert_eq!(GLOBAL.shown(), ["Notes::create"]);
}

#[async_trait]
trait Repo<K>: Send + Sync {
    async fn find(&self, key: K) -> Result<usize, Error>;
    fn find_sync(&self, key: K) -> Result<usize, Error>;
}

impl Notes {
    /// In the way of the trait's method.
    #[expect(dead_code, reason = "it must not be called")]
    fn find_sync(&self, _: u8) -> Result<usize, Error> {
        Err(Error::Lost)
    }
}

#[async_trait]
#[blocking(executor = db, boxed)]
impl<K> Repo<K> for Notes
where
    K: Send + 'static,
{
    #[blocking(sync = find_sync)]
    fn find(&self, _key: K) -> Result<usize, Error> {
        Ok(1)
    }
}

#[blocking(boxed)]
trait Declared: Send + Sync {
    #[blocking]
    fn look_up(&self, key: &str) -> usize;
}

#[blocking(boxed, executor = files)]
impl Declared for Notes {
    #[blocking]
    fn look_up(&self, key: &str) -> usize {
        key.len()
    }
}

#[test]
fn a_block_knows_its_trait() {
    let notes = Notes::default();
    assert!(matches!(run(Repo::find(&notes, "key")), Ok(1)));
    assert!(matches!(Repo::find_sync(&notes, 1_u8), Ok(1)));
    let declared: Arc<dyn Declared> = Arc::new(notes.clone());
    assert_eq!(run(declared.look_up("four")), 4);
    assert_eq!(notes.db.shown(), ["Notes::find"]);
    assert_eq!(notes.files.shown(), ["Notes::look_up"]);
}

#[derive(Clone)]
struct Strict {
    executor: Inline,
}

/// A method without a `Result` has no error that the block's conversions could make.
#[blocking(refused = |why| why.to_string(), panicked = |panic| format!("{:?}", panic.message()))]
impl Strict {
    #[blocking]
    fn fallible(&self) -> Result<u32, String> {
        panic!("out of cheese")
    }

    #[blocking(refused = panic, panicked = resume)]
    fn infallible(&self) -> u32 {
        panic!("out of wine")
    }
}

#[test]
fn a_method_declines_the_conversions_of_its_block() {
    let strict = Strict { executor: Inline };
    assert_eq!(run(strict.fallible()), Err("Some(\"out of cheese\")".to_owned()));
    let resumed = std::panic::catch_unwind(|| run(strict.infallible())).unwrap_err();
    assert_eq!(resumed.downcast_ref(), Some(&"out of wine"));
}
