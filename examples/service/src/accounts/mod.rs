//! Accounts: signing up, signing in and out, and the account of a session's token.
//!
//! `credentials.rs` what a name and a password may be · `hasher.rs` passwords at rest · `token.rs` sessions' tokens. Each method marked
//! `#[blocking]` is plain synchronous code and runs on the executor it names; the others put them in order.

mod credentials;
mod hasher;
mod token;

use std::time::{Duration, SystemTime};

use offload_runtime::blocking;
use rusqlite::{ErrorCode, OptionalExtension, params};

pub(crate) use self::credentials::{Name, Password};
use self::hasher::Hasher;
pub(crate) use self::token::Token;
use crate::config::Config;
use crate::error::Error;
use crate::pool::Pool;
use crate::store::Store;

/// The number of an account.
pub(crate) type AccountId = i64;

/// A handle to the accounts.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    db: Pool,
    cpu: Pool,
    store: Store,
    hasher: Hasher,
    session: Duration,
}

impl Accounts {
    pub(crate) fn new(db: &Pool, cpu: &Pool, store: &Store, config: &Config) -> Result<Self, Error> {
        let hasher = Hasher::new(&config.hashing)?;
        Ok(Self { db: db.clone(), cpu: cpu.clone(), store: store.clone(), hasher, session: config.session })
    }

    pub(crate) async fn sign_up(&self, name: Name, password: Password) -> Result<AccountId, Error> {
        let hash = self.hash(password).await?;
        self.insert(name, &hash).await
    }

    /// A new session. It takes as long for an unknown name as for a wrong password.
    pub(crate) async fn sign_in(&self, name: &str, password: Password) -> Result<Token, Error> {
        let found = self.find(name).await?;
        let (account, hash) = found.unzip();
        let right = self.verify(password, hash).await?;
        let account = account.filter(|_| right).ok_or(Error::WrongCredentials)?;
        self.begin_session(account).await
    }

    #[blocking(executor = cpu)]
    fn hash(&self, password: Password) -> Result<String, Error> {
        self.hasher.hash(&password)
    }

    #[blocking(executor = cpu)]
    fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Error> {
        self.hasher.verify(&password, hash.as_deref())
    }

    #[blocking(executor = db)]
    fn insert(&self, name: Name, hash: &str) -> Result<AccountId, Error> {
        self.store.with(|connection| {
            let insert = "INSERT INTO account (name, password) VALUES (?, ?)";
            match connection.prepare_cached(insert)?.insert(params![name.as_str(), hash]) {
                Err(rusqlite::Error::SqliteFailure(why, _)) if why.code == ErrorCode::ConstraintViolation => {
                    Err(Error::Taken)
                }
                inserted => Ok(inserted?),
            }
        })
    }

    #[blocking(executor = db)]
    fn find(&self, name: &str) -> Result<Option<(AccountId, String)>, Error> {
        self.store.with(|connection| {
            let select = "SELECT id, password FROM account WHERE name = ?";
            let found = connection.prepare_cached(select)?.query_row([name], |row| Ok((row.get(0)?, row.get(1)?)));
            Ok(found.optional()?)
        })
    }

    #[blocking(executor = db)]
    fn begin_session(&self, account: AccountId) -> Result<Token, Error> {
        let token = Token::random()?;
        let now = SystemTime::now();
        self.store.with(|connection| {
            // So that the table is no larger than the sessions that last.
            connection.prepare_cached("DELETE FROM session WHERE expires <= ?")?.execute([seconds(now)])?;
            let insert = "INSERT INTO session (token, account, expires) VALUES (?, ?, ?)";
            connection.prepare_cached(insert)?.execute(params![token.hash(), account, seconds(now + self.session)])?;
            Ok(())
        })?;
        Ok(token)
    }

    /// Whose session it is.
    #[blocking(executor = db)]
    pub(crate) fn find_session(&self, token: Token) -> Result<AccountId, Error> {
        self.store.with(|connection| {
            let select = "SELECT account FROM session WHERE token = ? AND expires > ?";
            let key = params![token.hash(), seconds(SystemTime::now())];
            let account = connection.prepare_cached(select)?.query_row(key, |row| row.get(0));
            account.optional()?.ok_or(Error::SignedOut)
        })
    }

    /// Whether the database can be read.
    #[blocking(executor = db)]
    pub(crate) fn check(&self) -> Result<(), Error> {
        is_empty(&self.store).map(drop)
    }

    #[blocking(executor = db)]
    pub(crate) fn end_session(&self, token: Token) -> Result<(), Error> {
        self.store.with(|connection| {
            connection.prepare_cached("DELETE FROM session WHERE token = ?")?.execute([token.hash()])?;
            Ok(())
        })
    }
}

/// Whether there is no account at all.
pub(crate) fn is_empty(store: &Store) -> Result<bool, Error> {
    store.with(|connection| {
        let exists = "SELECT EXISTS (SELECT 1 FROM account)";
        Ok(!connection.query_row(exists, (), |row| row.get::<_, bool>(0))?)
    })
}

/// Seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
