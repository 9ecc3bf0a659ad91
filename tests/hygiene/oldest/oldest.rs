//! Every form that generated code has, written in edition 2015.

#![deny(warnings)]
#![allow(bare_trait_objects)]

extern crate offload_runtime;
extern crate pollster;

use offload_runtime::{blocking, Error, Inline, StatefulPool, ThreadPool, Yielder};
use std::io;
use std::sync::Arc;

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
    db: StatefulPool<Vec<u8>>,
    n: usize,
}

trait Count {
    #[blocking(boxed)]
    fn count(&self, text: &str) -> usize;
}

impl Count for Service {
    #[blocking(boxed)]
    fn count(&self, text: &str) -> usize {
        self.n + text.len()
    }
}

#[blocking(wait)]
impl Service {
    #[blocking]
    fn names(&self, gen: usize, r#async: &str, auto: Option<&u8>) -> io::Result<usize> {
        Ok(self.n + gen + r#async.len() + usize::from(*auto.unwrap_or(&0)))
    }

    #[blocking(sync = twin_sync)]
    fn twin(&self, (a, mut b): (u8, u8)) -> u8 {
        b += a;
        b
    }

    #[blocking(handle, executor = Inline)]
    fn handle(self: &Arc<Self>, #[into] text: String) -> usize {
        self.n + text.len()
    }

    #[blocking(executor = db)]
    fn push(&self, #[state] bytes: &mut Vec<u8>, byte: u8) -> usize {
        bytes.push(byte);
        bytes.len()
    }

    #[blocking(stream)]
    fn sent(&self, #[out] out: &mut Yielder<u8>) -> Result<(), Error> {
        out.send(1)?;
        Ok(())
    }
}

#[blocking(refused = |error| error.to_string(), panicked = |_| String::new())]
fn free(text: &str) -> Result<usize, String> {
    Ok(text.len())
}

#[test]
fn the_first_edition_has_all_forms() {
    let service =
        Service { executor: ThreadPool::new(1), db: StatefulPool::new(1, || io::Result::Ok(Vec::new())), n: 1 };
    let counts: &Count = &service;
    assert_eq!(pollster::block_on(counts.count("four")), 5);
    assert_eq!(pollster::block_on(service.names(1, "four", Some(&1))).unwrap(), 7);
    assert_eq!(pollster::block_on(service.twin((1, 2))), service.twin_sync((1, 2)));
    assert_eq!(pollster::block_on(Arc::new(service.clone()).handle("four")).unwrap(), 5);
    assert_eq!(pollster::block_on(service.push(1)), 1);
    drop(service.sent());
    assert_eq!(pollster::block_on(free("four")), Ok(4));
}
