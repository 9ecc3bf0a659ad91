//! The tables, and how an older database becomes a current one.
//!
//! `STEPS[n]` takes a database from version n to n + 1; `user_version` tells where it is. A step that has been released is never
//! changed: the next one is added.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::Error;

const STEPS: [&str; 1] = ["
    CREATE TABLE account (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        password TEXT NOT NULL
    ) STRICT;

    -- What a client has is the token; what is here is its SHA-256.
    CREATE TABLE session (
        token BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_by_expiry ON session (expires);

    CREATE TABLE picture (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
        format TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        created INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX picture_by_account ON picture (account, number);
"];

/// Makes the tables, or brings them to the current version, in one transaction.
pub(super) fn bring_up_to_date(connection: &mut Connection) -> Result<(), Error> {
    // A current database is not written to: on a full disk that would fail.
    if connection.pragma_query_value(None, "user_version", |row| row.get::<_, usize>(0))? == STEPS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let steps = usize::try_from(version).ok().and_then(|version| STEPS.get(version..)).ok_or(Error::Newer(version))?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", STEPS.len())?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_time_changes_nothing_and_a_newer_one_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        bring_up_to_date(&mut connection).unwrap();
        connection.execute("INSERT INTO account (name, password) VALUES ('ada', '')", ()).unwrap();
        bring_up_to_date(&mut connection).unwrap();
        let accounts: i64 = connection.query_row("SELECT count(*) FROM account", (), |row| row.get(0)).unwrap();
        assert_eq!(accounts, 1);

        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(bring_up_to_date(&mut connection), Err(Error::Newer(99))));
    }
}
