//! `crate = ...`: a renamed dependency, and one that comes through another crate.

use hygiene_reexport::offload as through;
use offload::ThreadPool;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
    n: usize,
}

trait Count {
    #[offload::blocking(crate = offload, boxed)]
    fn count(&self, text: &str) -> usize;
}

impl Count for Service {
    #[offload::blocking(crate = ::offload, boxed)]
    fn count(&self, text: &str) -> usize {
        self.n + text.len()
    }
}

impl Service {
    #[offload::blocking(crate = offload)]
    fn renamed(&self, text: &str) -> usize {
        self.n + text.len()
    }

    #[through::blocking(crate = hygiene_reexport::offload, handle)]
    fn passed_on(&self, text: &str) -> usize {
        self.n + text.len()
    }

    #[through::blocking(crate = self::through, sync = local_path_sync)]
    fn local_path(&self, text: &str) -> usize {
        self.n + text.len()
    }
}

hygiene_reexport::blocking_function!(written_by_the_other_crate);

#[test]
fn the_crate_is_found_under_its_other_names() {
    let service = Service { executor: ThreadPool::new(1), n: 1 };
    pollster::block_on(async {
        assert_eq!(service.renamed("four").await, 5);
        assert_eq!(service.passed_on("four").await.unwrap(), 5);
        assert_eq!(service.local_path("four").await, 5);
        assert_eq!(service.count("four").await, 5);
        assert_eq!(written_by_the_other_crate("four").await, 4);
    });
}
