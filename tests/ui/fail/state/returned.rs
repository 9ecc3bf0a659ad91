//! What is borrowed from the state stays with it.

use offload_runtime::{Error, StatefulPool, blocking};

struct Connection {
    path: String,
}

struct Statement<'a>(&'a mut Connection);

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

impl Notes {
    #[blocking(executor = db)]
    fn path(&self, #[state] conn: &mut Connection) -> &str {
        &conn.path
    }

    #[blocking(executor = db)]
    fn prepare(&self, #[state] conn: &mut Connection) -> Result<Statement<'_>, Error> {
        Ok(Statement(conn))
    }
}

fn main() {}
