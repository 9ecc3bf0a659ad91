//! The default executor, if the program sets none: an elastic pool. Process-wide, hence a test binary with one test.

use offload_runtime::{ExecutorExt, ThreadPool, blocking, default_executor, set_default_executor};
use tests::support::{Occupied, finish};

#[blocking]
fn thread_name() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
}

#[test]
fn the_default_executor_is_an_elastic_pool_made_by_its_first_use() {
    let name = finish(thread_name()).unwrap();
    assert!(name.starts_with("offload-"), "{name}");
    // It has threads for jobs that wait, not one per core.
    Occupied::new(default_executor(), 16).release();
    let too_late = set_default_executor(ThreadPool::new(1)).unwrap_err();
    assert_eq!(too_late.to_string(), "the default executor is set, or in use, already");
    assert_eq!(finish(default_executor().submit(|| 1)).unwrap(), 1);
}
