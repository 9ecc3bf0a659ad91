//! The state of the executor is of another type.

use std::io;

use offload_runtime::{StatefulPool, blocking};

struct Connection;

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

impl Notes {
    #[blocking(executor = db)]
    fn insert(&self, #[state] conn: &mut String, text: &str) -> io::Result<()> {
        conn.push_str(text);
        Ok(())
    }
}

fn main() {}
