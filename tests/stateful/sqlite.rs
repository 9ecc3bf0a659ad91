//! SQLite connections, one per thread: what the pool is made for.

use std::path::Path;
use std::time::Duration;

use offload_runtime::{Error, StatefulPool};
use rusqlite::Connection;
use tests::support::finish;

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

#[test]
fn a_thousand_transactions_on_four_connections_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.db");
    open(&path).unwrap().execute_batch("CREATE TABLE notes (id INTEGER PRIMARY KEY, job INTEGER UNIQUE)").unwrap();
    let of_open = path.clone();
    let pool = StatefulPool::builder()
        .max_threads(4)
        .keep_if(|connection: &mut Connection| connection.is_autocommit())
        .open(move || open(&of_open));
    let jobs: Vec<_> = (0..1_000)
        .map(|i| {
            pool.submit_with(move |connection| -> rusqlite::Result<i64> {
                let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                transaction.execute("INSERT INTO notes (job) VALUES (?1)", [i])?;
                let id = transaction.last_insert_rowid();
                transaction.commit()?;
                Ok(id)
            })
        })
        .collect();
    let mut ids: Vec<i64> = jobs.into_iter().map(|job| finish(job).unwrap().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=1_000).collect::<Vec<_>>());
    let metrics = pool.metrics();
    assert_eq!((metrics.completed(), metrics.states_failed()), (1_000, 0));
    assert!((1..=4).contains(&metrics.states_opened()), "{metrics}");
    finish(pool.shutdown());
    let count: i64 =
        open(&path).unwrap().query_row("SELECT count(DISTINCT job) FROM notes", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1_000);
}

#[test]
fn a_job_that_panics_in_a_transaction_leaves_no_half_of_it() {
    tests::support::silence();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.db");
    open(&path).unwrap().execute_batch("CREATE TABLE notes (id INTEGER PRIMARY KEY)").unwrap();
    let pool = StatefulPool::new(1, move || open(&path));
    let job = pool.submit_with(|connection| {
        let transaction = connection.transaction().unwrap();
        transaction.execute("INSERT INTO notes DEFAULT VALUES", []).unwrap();
        panic!("{}", tests::support::ON_PURPOSE);
    });
    assert!(matches!(finish::<offload_runtime::JobHandle<()>>(job), Err(Error::Panicked(_))));
    let count = pool.submit_with(|connection| {
        connection.query_row("SELECT count(*) FROM notes", [], |row| row.get::<_, i64>(0)).unwrap()
    });
    assert_eq!(finish(count).unwrap(), 0);
    assert_eq!(pool.metrics().states_opened(), 2);
}

#[test]
fn a_database_that_cannot_be_opened_is_the_error_of_the_job() {
    let pool = StatefulPool::new(1, || Connection::open("no/such/directory/notes.db"));
    let error = finish(pool.submit_with(|connection| connection.is_autocommit())).unwrap_err();
    assert!(String::from(error).contains("unable to open database file"));
}
