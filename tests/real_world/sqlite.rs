//! `rusqlite`: accounts behind one connection, as a cloneable service and as a `dyn` repository.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::FutureExt as _;
use offload_runtime::{ThreadPool, blocking, is_cancelled};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use tokio::sync::mpsc;

use crate::support::{Scratch, closed, panic_of, within};

#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("the database failed")]
    Database(#[from] rusqlite::Error),
    #[error("there is no account `{0}`")]
    NoAccount(String),
    #[error("`{email}` has {balance}, not {amount}")]
    TooPoor { email: String, balance: i64, amount: i64 },
    #[error("try again later")]
    Unavailable(#[from] offload_runtime::Error),
}

type Result<T, E = StoreError> = std::result::Result<T, E>;

#[derive(Clone, Debug, PartialEq)]
struct Account {
    email: String,
    nick: Option<String>,
    balance: i64,
}

impl Account {
    const COLUMNS: &str = "email, nick, balance";

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { email: row.get(0)?, nick: row.get("nick")?, balance: row.get("balance")? })
    }
}

const ENDLESS: &str =
    "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers";

type EachRow = Box<dyn FnMut(&Row<'_>) -> rusqlite::Result<()> + Send>;

#[derive(Clone)]
struct Accounts {
    io: ThreadPool,
    db: Arc<Mutex<Connection>>,
}

impl Accounts {
    /// Opens the database in `path`, and makes the table if it is missing. A caller that gives up interrupts its query.
    #[blocking(executor = io)]
    fn open(io: &ThreadPool, path: &Path) -> Result<Self> {
        let db = Connection::open(path)?;
        // Asked by the thread that runs a statement. An interrupt from outside is lost where it comes before the statement.
        db.progress_handler(1_000, Some(is_cancelled))?;
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS account (email TEXT PRIMARY KEY, nick TEXT, balance INTEGER NOT NULL) STRICT",
        )?;
        Ok(Self { io: io.clone(), db: Arc::new(Mutex::new(db)) })
    }

    /// Looks an account up by e-mail address.
    #[blocking(executor = io)]
    fn find(&self, email: &str) -> Result<Option<Account>> {
        let db = self.db.lock().unwrap();
        let sql = format!("SELECT {} FROM account WHERE email = ?1", Account::COLUMNS);
        Ok(db.query_row(&sql, [email], Account::from_row).optional()?)
    }

    /// Adds an account and returns its row's number.
    #[blocking(executor = io)]
    fn add(&self, email: &str, nick: Option<&str>, balance: i64) -> Result<i64> {
        let db = self.db.lock().unwrap();
        db.execute("INSERT INTO account VALUES (?1, ?2, ?3)", params![email, nick, balance])?;
        Ok(db.last_insert_rowid())
    }

    /// Adds all of `accounts`, or none.
    #[blocking(executor = io)]
    fn import(&self, accounts: &[Account]) -> Result<usize> {
        let mut db = self.db.lock().unwrap();
        let transaction = db.transaction()?;
        let mut added = 0;
        {
            let mut insert = transaction.prepare("INSERT INTO account VALUES (?1, ?2, ?3)")?;
            for Account { email, nick, balance } in accounts {
                added += insert.execute(params![email, nick, balance])?;
            }
        }
        transaction.commit()?;
        Ok(added)
    }

    /// Moves `amount` from one account to another, or nothing.
    #[blocking(executor = io)]
    fn transfer(&self, (from, to): (String, String), amount: i64) -> Result<()> {
        let mut db = self.db.lock().unwrap();
        let transaction = db.transaction()?;
        let balance: Option<i64> = transaction
            .query_row("SELECT balance FROM account WHERE email = ?1", [&from], |row| row.get(0))
            .optional()?;
        let Some(balance) = balance else {
            return Err(StoreError::NoAccount(from));
        };
        if balance < amount {
            return Err(StoreError::TooPoor { email: from, balance, amount });
        }
        transaction.execute("UPDATE account SET balance = balance - ?2 WHERE email = ?1", params![from, amount])?;
        if transaction.execute("UPDATE account SET balance = balance + ?2 WHERE email = ?1", params![to, amount])? == 0
        {
            return Err(StoreError::NoAccount(to)); // and the drop of `transaction` takes the first update back
        }
        transaction.commit()?;
        Ok(())
    }

    /// All rows of any query.
    #[blocking(executor = io, refused = panic)]
    fn all<T, P>(
        &self,
        sql: &str,
        parameters: P,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> rusqlite::Result<Vec<T>>
    where
        T: Send + 'static,
        P: Params + Send + 'static,
    {
        self.db.lock().unwrap().prepare(sql)?.query_map(parameters, read)?.collect()
    }

    /// Shows `each` every row, and returns how many there were.
    #[blocking(executor = io)]
    fn visit(&self, sql: &str, mut each: EachRow) -> Result<u64> {
        let db = self.db.lock().unwrap();
        let mut query = db.prepare(sql)?;
        let mut rows = query.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            each(row)?;
            count += 1;
        }
        Ok(count)
    }
}

#[async_trait]
trait Repo: Send + Sync {
    async fn balance(&self, email: &str) -> Result<i64>;
    async fn rename(&self, email: &str, nick: Option<&str>) -> Result<()>;
}

#[async_trait]
impl Repo for Accounts {
    #[blocking(boxed, executor = io)]
    fn balance(&self, email: &str) -> Result<i64> {
        let db = self.db.lock().unwrap();
        let found = db.query_row("SELECT balance FROM account WHERE email = ?1", [email], |row| row.get(0));
        found.optional()?.ok_or_else(|| StoreError::NoAccount(email.to_owned()))
    }

    #[blocking(boxed, executor = io)]
    fn rename(&self, email: &str, nick: Option<&str>) -> Result<()> {
        let db = self.db.lock().unwrap();
        match db.execute("UPDATE account SET nick = ?2 WHERE email = ?1", params![email, nick])? {
            0 => Err(StoreError::NoAccount(email.into())),
            _ => Ok(()),
        }
    }
}

/// Accounts in memory, on a pool of two.
async fn accounts() -> Accounts {
    Accounts::open(&ThreadPool::new(2), Path::new(":memory:")).await.unwrap()
}

fn account(email: &str, balance: i64) -> Account {
    Account { email: email.into(), nick: None, balance }
}

#[tokio::test]
async fn what_was_inserted_is_found() {
    let accounts = accounts().await;
    assert_eq!(accounts.add("ada@example.com", Some("Ada"), 100).await.unwrap(), 1);
    assert_eq!(accounts.add("bob@example.com", None, 5).await.unwrap(), 2);

    let ada = accounts.find("ada@example.com").await.unwrap().unwrap();
    assert_eq!(ada, Account { nick: Some("Ada".into()), ..account("ada@example.com", 100) });
    assert_eq!(accounts.find("bob@example.com").await.unwrap().unwrap().nick, None);
    assert_eq!(accounts.find("eve@example.com").await.unwrap(), None);
}

#[tokio::test]
async fn the_library_s_error_comes_through_the_enum() {
    let accounts = accounts().await;
    accounts.add("ada@example.com", None, 100).await.unwrap();
    match accounts.add("ada@example.com", None, 100).await {
        Err(StoreError::Database(error)) => {
            assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_transaction_moves_all_or_nothing() {
    let accounts = accounts().await;
    let (ada, bob, eve) = ("ada@example.com", "bob@example.com", "eve@example.com");
    let both = [account(ada, 100), account(bob, 5)];
    assert_eq!(accounts.import(&both).await.unwrap(), 2);

    accounts.transfer((ada.into(), bob.into()), 60).await.unwrap();
    let too_poor = accounts.transfer((ada.into(), bob.into()), 60).await;
    assert!(matches!(too_poor, Err(StoreError::TooPoor { balance: 40, amount: 60, .. })), "{too_poor:?}");
    let nobody = accounts.transfer((ada.into(), eve.into()), 1).await;
    assert!(matches!(nobody, Err(StoreError::NoAccount(email)) if email == eve));
    let imported = accounts.import(&[account(eve, 7), account(ada, 7)]).await;
    assert!(matches!(imported, Err(StoreError::Database(_))));

    let balances = accounts.all("SELECT balance FROM account ORDER BY email", [], |row| row.get::<_, i64>(0)).await;
    assert_eq!(balances.unwrap(), [40, 65]);
}

#[tokio::test]
async fn concurrent_transfers_add_up() {
    let folder = Scratch::new("transfers");
    let accounts = Accounts::open(&ThreadPool::new(4), &folder.path().join("accounts.db")).await.unwrap();
    accounts.import(&[account("ada", 50), account("bob", 0)]).await.unwrap();
    let transfers: Vec<_> = (0..50)
        .map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.transfer(("ada".into(), "bob".into()), 1).await })
        })
        .collect();
    for transfer in transfers {
        transfer.await.unwrap().unwrap();
    }
    assert_eq!(accounts.find("ada").await.unwrap().unwrap().balance, 0);
    assert_eq!(accounts.find("bob").await.unwrap().unwrap().balance, 50);
}

#[tokio::test]
async fn every_row_is_visited() {
    let accounts = accounts().await;
    accounts.import(&[account("ada", 50), account("bob", 7)]).await.unwrap();
    let (seen, mut rows) = mpsc::unbounded_channel();
    let see = Box::new(move |row: &Row<'_>| {
        seen.send(row.get::<_, i64>(0)?).unwrap();
        Ok(())
    });
    assert_eq!(accounts.visit("SELECT balance FROM account ORDER BY email", see).await.unwrap(), 2);
    assert_eq!((rows.recv().await, rows.recv().await, rows.recv().await), (Some(50), Some(7), None));
}

#[tokio::test]
async fn giving_up_interrupts_a_query() {
    let accounts = accounts().await;
    let (started, mut rows) = mpsc::unbounded_channel();
    let endless = tokio::spawn({
        let accounts = accounts.clone();
        let start = move |row: &Row<'_>| {
            if row.get::<_, i64>(0)? == 0 {
                started.send(()).unwrap();
            }
            Ok(())
        };
        async move { accounts.visit(ENDLESS, Box::new(start)).await }
    });
    within(rows.recv()).await.unwrap();
    endless.abort();
    assert!(endless.await.unwrap_err().is_cancelled());
    assert_eq!(within(rows.recv()).await, None, "the job has dropped the callback");
    within(accounts.add("ada@example.com", None, 1)).await.unwrap(); // the connection is free, and well
}

#[tokio::test]
async fn giving_up_before_a_query_begins_interrupts_it_too() {
    let accounts = accounts().await;
    let (seen, mut rows) = mpsc::unbounded_channel();
    let see = Box::new(move |row: &Row<'_>| {
        let _ = seen.send(row.get::<_, i64>(0)?);
        Ok(())
    });
    let db = Arc::clone(&accounts.db);
    let held = db.lock().unwrap();
    let mut endless = Box::pin(accounts.visit(ENDLESS, see));
    assert!(endless.as_mut().now_or_never().is_none());
    while accounts.io.running_jobs().is_empty() {
        std::thread::yield_now();
    }
    drop(endless); // while the job waits for the connection
    drop(held);
    within(async { while rows.recv().await.is_some() {} }).await;
    within(accounts.add("ada@example.com", None, 1)).await.unwrap();
}

#[tokio::test]
async fn a_repository_is_called_through_dyn() {
    let accounts = accounts().await;
    accounts.add("ada@example.com", Some("Ada"), 100).await.unwrap();
    let repo: Arc<dyn Repo> = Arc::new(accounts.clone());
    assert_eq!(repo.balance("ada@example.com").await.unwrap(), 100);
    let task = tokio::spawn(async move {
        repo.rename("ada@example.com", None).await?;
        repo.rename("eve@example.com", Some("Eve")).await
    });
    assert!(matches!(task.await.unwrap(), Err(StoreError::NoAccount(email)) if email == "eve@example.com"));
    assert_eq!(accounts.find("ada@example.com").await.unwrap().unwrap().nick, None);
}

#[tokio::test]
async fn a_refusal_is_a_variant_of_the_enum() {
    let refused = Accounts { io: closed(), ..accounts().await };
    let found = refused.find("ada@example.com").await;
    assert!(matches!(found, Err(StoreError::Unavailable(offload_runtime::Error::ShutDown))), "{found:?}");
    let repo: Arc<dyn Repo> = Arc::new(refused);
    assert!(matches!(repo.balance("ada@example.com").await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_refusal_is_a_panic_where_the_error_is_the_library_s() {
    let refused = Accounts { io: closed(), ..accounts().await };
    let message = panic_of(refused.all("SELECT 1", [], |row| row.get::<_, i64>(0))).await;
    assert!(message.contains("all"), "{message}");
    assert!(message.contains("shut down"), "{message}");
}
