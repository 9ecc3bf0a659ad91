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

    // `gen` is a name up to edition 2021.
    #[offload::blocking(crate = offload, executor = self.of(gen))]
    fn plain_name(&self, gen: usize) -> usize {
        self.n + gen
    }

    #[offload::blocking(crate = offload, sync = gen)]
    fn plain_names(&self, gen: &str, (mut text, _): (String, u8)) -> usize {
        text.push_str(gen);
        self.n + text.len()
    }

    fn of(&self, _: usize) -> &ThreadPool {
        &self.executor
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
        assert_eq!(service.plain_name(4).await, 5);
        assert_eq!(service.plain_names("fo", ("ur".to_owned(), 0)).await, 5);
        assert_eq!(service.gen("fo", ("ur".to_owned(), 0)), 5);
        assert_eq!(written_by_the_other_crate("four").await, 4);
    });
}
