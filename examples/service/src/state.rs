//! What all handlers share: [`State`], with the three executors and the two domains that use them.
//!
//! Everything in it is a handle, so that a clone is cheap. `open` is where the service's data is checked and put in order, before
//! the first request.

use std::sync::Arc;

use offload_runtime::blocking;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::config::{Config, Limits};
use crate::data::DataDirectory;
use crate::error::Error;
use crate::pictures::Pictures;
use crate::pool::{self, Pool};
use crate::store::Store;

/// What all handlers share.
#[derive(Clone, Debug)]
pub struct State {
    /// For the database: as many threads as connections.
    pub db: Pool,
    /// For what computes: passwords, pictures.
    pub cpu: Pool,
    /// For the pictures' files.
    pub files: Pool,
    pub(crate) accounts: Accounts,
    pub(crate) pictures: Pictures,
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    /// Bytes that uploads may still take up in memory.
    pub(crate) upload_memory: Arc<Semaphore>,
    stopping: CancellationToken,
}

impl State {
    /// Opens the data directory, and sweeps from it what a killed predecessor may have left.
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let pool = |name, size, begin| Pool::new(name, size, config.inline, begin);
        let db = pool("db", config.db, || {});
        let cpu = pool("cpu", config.cpu, pool::give_way);
        let files = pool("files", config.files, || {});
        let data = open_data(&files, config.clone()).await?;
        Ok(Self {
            accounts: Accounts::new(&db, &cpu, &data.store, config)?,
            store: data.store.clone(),
            pictures: Pictures::new(&db, &cpu, &files, data, config.limits),
            limits: config.limits,
            upload_memory: Arc::new(Semaphore::new(config.limits.uploads)),
            stopping: CancellationToken::new(),
            db,
            cpu,
            files,
        })
    }

    /// The executors, by name.
    #[must_use]
    pub fn pools(&self) -> [(&'static str, &Pool); 3] {
        [("db", &self.db), ("cpu", &self.cpu), ("files", &self.files)]
    }

    /// Cancelled when the service begins to stop. A response without an end of its own has to end then.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}

#[blocking(executor = files)]
fn open_data(files: &Pool, config: Config) -> Result<DataDirectory, Error> {
    DataDirectory::open(&config.data, config.db.threads, config.accept_empty_database)
}
