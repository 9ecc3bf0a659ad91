//! A thread owns one state.

use offload_runtime::{StatefulPool, blocking};

struct Connection;

#[derive(Clone)]
struct Notes {
    db: StatefulPool<(Connection, String)>,
}

impl Notes {
    #[blocking(executor = db)]
    fn insert(&self, #[state] conn: &mut Connection, #[state] cache: &mut String) {
        cache.clear();
    }
}

fn main() {}
