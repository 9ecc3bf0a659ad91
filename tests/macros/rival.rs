//! What the closest rival macro gets wrong, each as a test of its own.

use crate::{Service, run};
use offload_runtime::blocking;

impl Service {
    #[blocking]
    fn tuple_pattern(&self, (a, b): (usize, usize), c: usize) -> usize {
        a * 100 + b * 10 + c
    }

    #[blocking]
    fn generic<T: ToString + Send + 'static>(&self, value: T) -> String {
        value.to_string()
    }

    #[blocking]
    fn borrowed_text(&self, text: &str) -> usize {
        text.len() + self.words.len()
    }

    #[cfg(not(any()))]
    #[blocking]
    fn under_cfg(&self) -> usize {
        self.words.len()
    }

    #[blocking]
    #[cfg(not(any()))]
    fn above_cfg(&self) -> usize {
        self.words.len()
    }

    #[blocking]
    #[cfg(any())]
    fn cfg_out(&self) -> NoSuchType {
        self.words.no_such_method()
    }

    #[blocking]
    fn result_type(&self) -> Option<u32> {
        None
    }
}

#[test]
fn a_tuple_pattern_keeps_its_argument() {
    assert_eq!(run(Service::new().tuple_pattern((1, 2), 3)), 123);
}

#[test]
fn a_method_may_be_generic() {
    assert_eq!(run(Service::new().generic(1.5)), "1.5");
}

#[test]
fn an_argument_may_be_a_str() {
    assert_eq!(run(Service::new().borrowed_text("four")), 7);
}

#[test]
fn a_method_may_stand_under_cfg() {
    assert_eq!(run(Service::new().under_cfg()) + run(Service::new().above_cfg()), 6);
}

#[test]
fn the_result_type_is_the_one_written() {
    let result: Option<u32> = run(Service::new().result_type());
    assert_eq!(result, None);
}
