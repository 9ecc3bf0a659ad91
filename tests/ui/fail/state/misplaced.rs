//! Where there can be no state, and what cannot be one.

use offload_runtime::{StatefulPool, blocking};

struct Connection;
struct Transaction<'a>(&'a Connection);

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

#[blocking]
fn on_the_default_executor(#[state] conn: &mut Connection) {
    let _ = conn;
}

impl Notes {
    #[blocking(executor = db)]
    fn of_self(#[state] &self) {}

    #[blocking(executor = db, remote)]
    fn elsewhere(&self, #[state] conn: &mut Connection) {
        let _ = conn;
    }

    #[blocking(executor = db)]
    fn for_ever(&self, #[state] conn: &'static mut Connection) {
        let _ = conn;
    }

    #[blocking(executor = db)]
    fn borrows(&self, #[state] transaction: &mut Transaction<'_>) {
        let _ = transaction;
    }

    #[blocking(executor = db)]
    fn of_any_type(&self, #[state] conn: &mut impl Sized) {
        let _ = conn;
    }

    #[blocking(executor = db)]
    fn with_arguments(&self, #[state(name)] conn: &mut Connection) {
        let _ = conn;
    }
}

fn main() {}
