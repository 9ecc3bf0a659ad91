//! In a method, a name in small letters is a field; a static of that name is written with its path, `self::pool`.

use offload_runtime::{Inline, blocking};

#[allow(non_upper_case_globals)]
static pool: Inline = Inline;

#[derive(Clone)]
struct Service {
    users: usize,
}

impl Service {
    #[blocking(executor = pool)]
    fn count(&self) -> usize {
        self.users
    }
}

fn main() {}
