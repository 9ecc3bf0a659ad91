//! The same figures, method by method.

use offload_runtime::{ExecutorExt, ThreadPool, blocking};
use tests::support::finish;

#[derive(Clone)]
struct Library {
    executor: ThreadPool,
}

impl Library {
    #[blocking]
    fn lend(&self, book: u32) -> u32 {
        book
    }

    #[blocking]
    fn give_back(&self, _book: u32) {}
}

#[test]
fn a_method_is_known_by_its_name_module_file_and_line() {
    let library = Library { executor: ThreadPool::new(1) };
    for book in 0..3 {
        finish(library.lend(book));
    }
    finish(library.give_back(1));
    let metrics = library.executor.metrics();
    let [lend, give_back] = metrics.by_site() else { panic!("{metrics:?}") };
    assert_eq!((lend.site().name(), lend.completed(), lend.run().count()), (Some("lend"), 3, 3));
    assert_eq!((give_back.site().name(), give_back.completed()), (Some("give_back"), 1));
    assert_eq!(lend.site().module_path(), Some(module_path!()));
    assert!(lend.site().file().ends_with("sites.rs") && lend.site().line() < give_back.site().line());
    assert!(lend.to_string().starts_with("Library::lend: 0 running, 0 queued; 3 completed; wait "), "{lend}");
}

#[test]
fn by_hand_a_site_is_the_line_that_submits() {
    let pool = ThreadPool::new(1);
    for _ in 0..2 {
        finish(pool.submit(|| ())).unwrap();
    }
    finish(pool.submit(|| ())).unwrap();
    let counts: Vec<_> = pool.metrics().by_site().iter().map(|site| (site.site().line(), site.completed())).collect();
    let [(first, 2), (second, 1)] = counts[..] else { panic!("{counts:?}") };
    assert!(first < second);
}

/// More sites than any cache of the last one can hide, from several threads.
#[test]
fn many_sites_have_figures_of_their_own() {
    macro_rules! submit_from {
        ($pool:expr, $($line:literal)*) => { [$({ let _: u32 = $line; finish($pool.submit(|| ())).unwrap(); $line }),*] };
    }
    let pool = ThreadPool::new(2);
    let round = || {
        let _ = submit_from!(pool, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33);
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..10).for_each(|_| round()));
        }
    });
    let metrics = pool.metrics();
    assert_eq!(metrics.completed(), 33 * 30);
    assert_eq!(metrics.by_site().iter().map(offload_runtime::SiteMetrics::completed).sum::<u64>(), 33 * 30);
    for site in metrics.by_site() {
        assert_eq!(site.completed() % 30, 0, "{site}");
    }
}

#[test]
fn a_pool_is_a_line_in_a_log() {
    let pool = ThreadPool::builder().max_threads(2).thread_name("db").timing(false).build();
    assert_eq!(pool.metrics().to_string(), "db: 0 of 2 threads, 0 running, 0 queued; 0 completed");
    drop(pool.submit(|| ()));
    pool.close();
    drop(pool.submit(|| ()));
    finish(pool.shutdown());
    let line = pool.metrics().to_string();
    assert!(line.starts_with("db: 0 of 2 threads, 0 running, 0 queued; ") && line.ends_with(", 1 refused"), "{line}");
}
