//! Streams from a pool whose threads own a state: the rows of a connection.

use std::io;

use futures::{StreamExt, TryStreamExt};
use offload_runtime::{Error, StatefulPool, Stopped, Yielder, blocking};
use tests::support::{PATIENCE, eventually, finish, within};

#[derive(Debug)]
enum DbError {
    Database { _error: rusqlite::Error },
    Offload(Error),
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database { _error: error }
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        Self::Offload(error)
    }
}

impl From<Stopped> for DbError {
    fn from(stopped: Stopped) -> Self {
        Self::Offload(stopped.into())
    }
}

fn open() -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TABLE note (id INTEGER PRIMARY KEY);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO note SELECT i FROM n;",
    )?;
    Ok(connection)
}

#[derive(Clone)]
struct Notes {
    db: StatefulPool<rusqlite::Connection>,
}

impl Notes {
    #[blocking(stream, executor = db)]
    fn export(
        &self,
        #[state] conn: &mut rusqlite::Connection,
        query: &str,
        #[out] rows: &mut Yielder<i64>,
    ) -> Result<(), DbError> {
        let mut statement = conn.prepare(query)?;
        for row in statement.query_map([], |row| row.get(0))? {
            rows.send(row?)?;
        }
        Ok(())
    }
}

#[test]
fn the_rows_of_a_connection_that_the_thread_owns() {
    let notes = Notes { db: StatefulPool::new(1, open) };
    for _ in 0..2 {
        let rows = finish(notes.export("SELECT id FROM note ORDER BY id").try_collect::<Vec<_>>()).unwrap();
        assert_eq!(rows, (1..=1_000).collect::<Vec<_>>());
    }
    let failed = finish(notes.export("SELECT nothing").try_collect::<Vec<_>>()).unwrap_err();
    assert!(matches!(failed, DbError::Database { .. }), "{failed:?}");
    // A consumer that leaves frees the thread and its connection.
    let mut left = notes.export("SELECT a.id FROM note a, note b");
    assert!(finish(left.try_next()).unwrap().is_some());
    drop(left);
    let rows = notes.db.generate_with(|conn: &mut rusqlite::Connection, out: &mut Yielder<i64>| {
        out.send(conn.query_row("SELECT count(*) FROM note", [], |row| row.get(0))?)?;
        Ok::<(), DbError>(())
    });
    assert_eq!(within(PATIENCE, move || finish(rows.try_collect::<Vec<_>>())).unwrap(), [1_000]);
    let of_view = notes.db.limited(1).generate_with(|_: &mut rusqlite::Connection, out: &mut Yielder<u8>| {
        let _ = out.send(7);
    });
    assert_eq!(finish(of_view.collect::<Vec<_>>()), [7]);
}

#[test]
fn a_state_that_cannot_be_opened_is_the_last_item() {
    let db = StatefulPool::<rusqlite::Connection>::new(1, || Err(io::Error::other("no database")));
    let notes = Notes { db };
    let items: Vec<_> = finish(notes.export("SELECT id FROM note").collect());
    assert!(matches!(items.as_slice(), [Err(DbError::Offload(Error::State(_)))]), "{items:?}");
    notes.db.close();
    let refused: Vec<_> = finish(notes.export("SELECT id FROM note").collect());
    assert!(matches!(refused.as_slice(), [Err(DbError::Offload(Error::ShutDown))]), "{refused:?}");
    eventually("all jobs are accounted for", || notes.db.metrics().running() == 0);
}
