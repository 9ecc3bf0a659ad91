//! The threads of the executor own nothing.

use std::io;

use offload_runtime::{ThreadPool, blocking};

struct Connection;

#[derive(Clone)]
struct Notes {
    db: ThreadPool,
}

impl Notes {
    #[blocking(executor = db)]
    fn insert(&self, #[state] conn: &mut Connection, text: &str) -> io::Result<usize> {
        let _ = conn;
        Ok(text.len())
    }
}

fn main() {}
