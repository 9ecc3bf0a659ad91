//! `#[state]`: what the executor's thread owns, in every form of a method.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use offload_runtime::{
    Error, ExecutorExt, JobHandle, Limited, Panic, StatefulExecutor, StatefulPool, ThreadPool, blocking,
};
use tests::support::{Gate, ON_PURPOSE, finish, panic_message, silence};

use crate::run;

/// A table of texts, for one thread only.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<String>,
    not_send: Rc<Cell<usize>>,
}

fn open() -> StatefulPool<Table> {
    StatefulPool::new(1, || Ok::<_, io::Error>(Table::default()))
}

static DB: LazyLock<StatefulPool<Table>> = LazyLock::new(open);

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Table>,
    view: Limited<StatefulPool<Table>>,
    prefix: Arc<str>,
}

impl Notes {
    fn new() -> Self {
        let db = open();
        Self { view: db.clone().limited(1), db, prefix: "note ".into() }
    }

    #[blocking(executor = db)]
    fn insert(&self, #[state] table: &mut Table, text: &str) -> io::Result<usize> {
        if text.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        table.rows.push(format!("{}{text}", self.prefix));
        table.not_send.set(table.not_send.get() + 1);
        Ok(table.not_send.get())
    }

    /// The state may stand anywhere among the arguments, be borrowed as shared, and be taken apart.
    #[blocking(executor = self.view)]
    fn find(&self, part: &str, #[state] Table { rows, .. }: &Table, from: usize) -> Option<String> {
        rows.iter().skip(from).find(|row| row.contains(part)).cloned()
    }

    #[blocking(executor = db)]
    fn count(&self, #[state] mut table: &mut Table) -> usize {
        let other = &mut Table::default();
        let rows = table.rows.len();
        table = other;
        rows + table.rows.len()
    }

    #[blocking(executor = db)]
    fn ignores(&self, #[state] _: &mut Table, n: u32) -> u32 {
        n
    }

    /// A method without `#[state]` runs on the pool all the same.
    #[blocking(executor = db)]
    fn plain(&self, n: u32) -> u32 {
        n + 1
    }

    #[blocking(executor = db, handle)]
    fn insert_soon(&self, #[state] table: &mut Table, text: String) -> usize {
        table.rows.push(text);
        table.rows.len()
    }

    #[blocking(executor = db, sync = last_of)]
    fn last(&self, #[state] table: &mut Table, or: &str) -> String {
        format!("{}/{}", self.prefix, table.rows.last().map_or(or, String::as_str))
    }

    #[blocking(executor = db, with(prefix = Arc::clone(&self.prefix)))]
    fn with_captures(&self, #[state] table: &Table) -> String {
        format!("{prefix}{}", table.rows.len())
    }

    #[blocking(executor = db, refused = Failure::Refused, panicked = Failure::Panicked)]
    fn fails(&self, #[state] table: &mut Table, how: &str) -> Result<usize, Failure> {
        assert!(how != "panic", "{ON_PURPOSE}");
        Ok(table.rows.len())
    }

    #[blocking(executor = db)]
    fn converted(&self, #[state] table: &mut Table, #[into] text: String, #[as_ref] suffix: &str) -> usize {
        table.rows.push(text + suffix);
        table.rows.last().map_or(0, String::len)
    }
}

#[derive(Debug)]
enum Failure {
    Refused(Error),
    Panicked(Panic),
}

#[test]
fn a_method_has_the_state_of_its_thread() {
    let notes = Notes::new();
    run(async {
        assert_eq!(notes.insert("milk").await.unwrap(), 1);
        assert_eq!(notes.insert("bread").await.unwrap(), 2);
        assert_eq!(notes.insert("").await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(notes.find("bread", 0).await.as_deref(), Some("note bread"));
        assert_eq!(notes.find("milk", 1).await, None);
        assert_eq!(notes.count().await, 2);
        assert_eq!((notes.ignores(7).await, notes.plain(7).await), (7, 8));
        assert_eq!(notes.insert_soon("eggs".into()).await.unwrap(), 3);
        assert_eq!(notes.with_captures().await, "note 3");
        assert_eq!(notes.converted("a", "bc").await, 3);
    });
    assert_eq!(notes.db.metrics().states_opened(), 1);
    let sites = notes.db.metrics();
    assert!(sites.by_site().iter().any(|site| site.site().to_string() == "Notes::insert"));
}

#[test]
fn the_twin_keeps_the_state_argument() {
    let notes = Notes::new();
    assert_eq!(run(notes.last("none")), "note /none");
    let mut table = Table::default();
    assert_eq!(notes.last_of(&mut table, "none"), "note /none");
    table.rows.push("row".into());
    assert_eq!(notes.last_of(&mut table, "none"), "note /row");
}

#[test]
fn a_state_that_cannot_be_opened_is_the_methods_error() {
    let db = StatefulPool::new(1, || Err::<Table, _>(io::Error::other("no disk")));
    let notes = Notes { view: db.clone().limited(1), db, prefix: "".into() };
    let error = run(notes.insert("x")).unwrap_err();
    let refusal = error.downcast::<Error>().unwrap();
    assert!(matches!(refusal, Error::State(_)), "{refusal:?}");
    assert!(matches!(run(notes.fails("")), Err(Failure::Refused(Error::State(_)))));
    // A method that returns no `Result` panics, with its name.
    let message = panic_message(|| run(notes.count()));
    assert!(message.contains("count"), "{message}");
    assert_eq!(run(notes.plain(1)), 2, "it needs no state");
}

#[test]
fn a_panic_is_converted_and_drops_the_state() {
    silence();
    let notes = Notes::new();
    run(async {
        notes.insert("x").await.unwrap();
        assert_eq!(notes.fails("").await.unwrap(), 1);
        let Err(Failure::Panicked(panic)) = notes.fails("panic").await else { panic!("it panics") };
        assert_eq!(panic.message(), Some(ON_PURPOSE));
        assert_eq!(notes.fails("").await.unwrap(), 0);
    });
}

#[test]
fn dropping_the_future_cancels_the_queued_call() {
    let notes = Notes::new();
    let gate = Gate::closed();
    let door = gate.clone();
    let busy = notes.db.submit(move || door.pass());
    gate.wait_for(1);
    let mut call = Box::pin(notes.insert("x"));
    assert!(tests::support::poll_once(&mut call, std::task::Waker::noop()).is_pending());
    drop(call);
    gate.open();
    finish(busy).unwrap();
    assert_eq!(run(notes.count()), 0);
}

trait Store: Send + Sync {
    #[blocking(boxed)]
    fn put(&self, text: &str) -> usize;

    /// A declaration may show the state; callers do not give it.
    #[blocking(boxed)]
    fn get(&self, #[state] table: &mut Table, n: usize) -> Option<String>;
}

impl Store for Notes {
    #[blocking(executor = db, boxed)]
    fn put(&self, #[state] table: &mut Table, text: &str) -> usize {
        table.rows.push(text.to_owned());
        table.rows.len()
    }

    #[blocking(executor = db, boxed)]
    fn get(&self, #[state] table: &mut Table, n: usize) -> Option<String> {
        table.rows.get(n).cloned()
    }
}

trait Lookup {
    fn lookup(&self, n: usize) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>>;
    async fn first(&self) -> Option<String>;
}

impl Lookup for Notes {
    #[blocking(executor = db, boxed = '_)]
    fn lookup(&self, n: usize, #[state] table: &Table) -> Option<String> {
        table.rows.get(n).cloned()
    }

    #[blocking(executor = db)]
    fn first(&self, #[state] table: &Table) -> Option<String> {
        table.rows.first().cloned()
    }
}

#[test]
fn methods_of_traits_have_a_state() {
    let notes = Notes::new();
    let store: &dyn Store = &notes;
    run(async {
        assert_eq!(store.put("x").await, 1);
        assert_eq!(store.get(0).await.as_deref(), Some("x"));
        assert_eq!(notes.lookup(0).await.as_deref(), Some("x"));
        assert_eq!(notes.first().await.as_deref(), Some("x"));
    });
}

#[blocking(executor = DB)]
fn push(#[state] table: &mut Table, text: &str) -> usize {
    table.rows.push(text.to_owned());
    table.rows.len()
}

#[blocking(executor = pool)]
fn length_in(pool: &StatefulPool<Table>, #[state] table: &Table) -> usize {
    table.rows.len()
}

#[blocking(executor = pool)]
fn in_any<E>(pool: E, #[state] table: &mut Table, by: usize) -> usize
where
    E: StatefulExecutor<State = Table> + Clone + 'static,
{
    table.not_send.set(table.not_send.get() + by);
    table.not_send.get()
}

#[blocking(executor = pool)]
fn swap<T: Default + Clone + Send + 'static>(pool: &StatefulPool<T>, #[state] value: &mut T, new: T) -> T {
    std::mem::replace(value, new)
}

#[test]
fn functions_and_generics_have_a_state() {
    let pool = open();
    let numbers = StatefulPool::new(1, || Ok::<_, io::Error>(5_u8));
    run(async {
        assert_eq!(push("a").await + push("b").await, 3);
        assert_eq!(length_in(&pool).await, 0);
        assert_eq!(in_any(pool.clone(), 2).await, 2);
        assert_eq!(in_any(Arc::new(pool.clone().limited(1)), 3).await, 5);
        assert_eq!(in_any(&*DB, 1).await, 1);
        assert_eq!((swap(&numbers, 6).await, swap(&numbers, 7).await), (5, 6));
    });
}

#[derive(Clone)]
struct Block {
    db: StatefulPool<String>,
}

#[blocking(executor = db)]
impl Block {
    #[blocking]
    fn append(&self, #[state] db: &mut String, more: &str) -> usize {
        // The state may be called as the field is that has it.
        db.push_str(more);
        db.len()
    }

    #[blocking(handle)]
    fn take(&self, #[state] text: &mut String) -> String {
        std::mem::take(text)
    }
}

#[test]
fn methods_of_a_marked_block_have_a_state() {
    let block = Block { db: StatefulPool::new(1, || Ok::<_, io::Error>(String::new())) };
    assert_eq!(run(block.append("ab")), 2);
    let taken: JobHandle<String> = block.take();
    assert_eq!(run(taken).unwrap(), "ab");
}

/// The futures cross threads, though the state cannot.
#[test]
fn futures_are_send() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let notes = Notes::new();
    assert_eq!(run(assert_send(notes.insert("x"))).unwrap(), 1);
    let pool = ThreadPool::new(1);
    let from_job = pool.submit(move || run(notes.count()));
    assert_eq!(run(from_job).unwrap(), 1);
}
