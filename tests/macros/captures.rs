//! `with(..)`: what crosses instead of `self`.

use crate::run;
use offload_runtime::{ThreadPool, blocking};
use std::cell::Cell;
use std::sync::Arc;

/// Neither `Clone` nor `Sync`.
struct Library {
    executor: ThreadPool,
    books: Arc<Vec<String>>,
    visits: Cell<u32>,
}

impl Library {
    #[blocking(with(books = Arc::clone(&self.books)))]
    fn count(&self, prefix: &str) -> usize {
        books.iter().filter(|book| book.starts_with(prefix)).count()
    }

    #[blocking(handle, with(books = self.books.clone(), visits = self.visits.get() + by,))]
    fn visit(&self, by: u32) -> (usize, u32) {
        (books.len(), visits + by)
    }
}

#[blocking(with(doubled = n * 2))]
fn free(n: u32) -> u32 {
    n + doubled
}

#[test]
fn only_what_is_listed_crosses() {
    let books = ["emma", "persuasion"].map(str::to_owned).to_vec();
    let library = Library { executor: ThreadPool::new(1), books: Arc::new(books), visits: Cell::new(3) };
    assert_eq!(run(library.count("e")), 1);
    assert_eq!(run(library.visit(2)).unwrap(), (2, 7));
    assert_eq!(run(free(2)), 6);
}
