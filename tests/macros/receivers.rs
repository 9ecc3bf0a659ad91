//! Every form of `self`, with the executor reached through it.

use crate::{Service, on_worker, run};
use offload_runtime::blocking;
use std::sync::Arc;

impl Service {
    #[blocking]
    fn by_reference(&self, n: usize) -> String {
        assert!(on_worker());
        self.words[n].clone()
    }

    #[blocking]
    fn by_named_reference<'a>(&'a self, n: usize) -> String {
        self.words[n].clone()
    }

    #[blocking]
    fn by_typed_reference(self: &Self, n: usize) -> String {
        self.words[n].clone()
    }

    #[blocking]
    fn by_value(self, n: usize) -> String {
        assert!(on_worker());
        self.words[n].clone()
    }

    #[blocking]
    fn by_mutable_value(mut self, n: usize) -> (String, Self) {
        Arc::make_mut(&mut self.words).push("alan".to_owned());
        (self.words[n].clone(), self)
    }

    #[blocking]
    fn by_arc(self: Arc<Self>, n: usize) -> String {
        assert!(on_worker());
        let this: Arc<Self> = self;
        this.words[n].clone()
    }

    #[blocking]
    #[expect(unused_qualifications, reason = "the form under test")]
    fn by_arc_under_its_path(self: std::sync::Arc<Self>, n: usize) -> String {
        self.words[n].clone()
    }

    #[blocking]
    fn by_reference_to_arc(self: &Arc<Self>, n: usize) -> (String, usize) {
        assert!(on_worker());
        let this: &Arc<Self> = self;
        (this.words[n].clone(), Arc::strong_count(this))
    }

    #[blocking]
    fn by_box(self: Box<Self>, n: usize) -> String {
        assert!(on_worker());
        let this: Box<Self> = self;
        this.words[n].clone()
    }

    #[blocking]
    fn by_arc_of_its_name(self: Arc<Service>, n: usize) -> String {
        self.words[n].clone()
    }

    #[blocking]
    fn by_reference_to_arc_of_its_name(self: &Arc<Service>, n: usize) -> usize {
        n + Arc::strong_count(self)
    }

    #[blocking]
    fn by_reference_of_its_name(self: &Service, n: usize) -> String {
        self.words[n].clone()
    }

    #[blocking]
    fn by_box_of_its_name(mut self: Box<Service>, n: usize) -> String {
        Arc::make_mut(&mut self.words).push("alan".to_owned());
        self.words[n].clone()
    }

    #[blocking]
    fn by_value_of_its_name(self: Service, n: usize) -> String {
        self.words[n].clone()
    }

    #[blocking]
    fn by_mutable_box(mut self: Box<Self>, n: usize) -> String {
        Arc::make_mut(&mut self.words).push("alan".to_owned());
        self.words[n].clone()
    }
}

#[test]
fn a_reference_crosses_as_a_clone() {
    let service = Service::new();
    assert_eq!(run(service.by_reference(0)), "ada");
    assert_eq!(run(service.by_named_reference(1)), "grace");
    assert_eq!(run(service.by_typed_reference(2)), "edsger");
}

#[test]
fn a_receiver_may_be_spelled_by_the_name_of_its_type() {
    let service = Arc::new(Service::new());
    assert_eq!(run(Arc::clone(&service).by_arc_of_its_name(0)), "ada");
    assert_eq!(run(service.by_reference_to_arc_of_its_name(0)), 2);
    assert_eq!(run(service.by_reference_of_its_name(1)), "grace");
    assert_eq!(run(Box::new(Service::clone(&service)).by_box_of_its_name(3)), "alan");
    assert_eq!(run(Service::clone(&service).by_value_of_its_name(0)), "ada");
}

#[test]
fn a_value_moves() {
    let service = Service::new();
    assert_eq!(run(service.clone().by_value(0)), "ada");
    let (word, service) = run(service.by_mutable_value(3));
    assert_eq!((word.as_str(), service.words.len()), ("alan", 4));
}

#[test]
fn an_arc_moves() {
    let service = Arc::new(Service::new());
    assert_eq!(run(Arc::clone(&service).by_arc(0)), "ada");
    assert_eq!(run(Arc::clone(&service).by_arc_under_its_path(0)), "ada");
    assert_eq!(Arc::strong_count(&service), 1);
}

#[test]
fn of_a_reference_to_an_arc_the_arc_is_cloned() {
    let service = Arc::new(Service::new());
    let words = Arc::clone(&service.words);
    assert_eq!(run(service.by_reference_to_arc(0)), ("ada".to_owned(), 2));
    assert_eq!(Arc::strong_count(&words), 2, "the service itself was not cloned");
}

#[test]
fn a_box_moves() {
    assert_eq!(run(Box::new(Service::new()).by_box(0)), "ada");
    assert_eq!(run(Box::new(Service::new()).by_mutable_box(3)), "alan");
}

/// Neither `Clone` nor, but for the `Arc`, shared.
struct Registry {
    executor: offload_runtime::ThreadPool,
    names: std::sync::Mutex<Vec<String>>,
}

impl Registry {
    #[blocking]
    fn add(self: &Arc<Self>, name: &str) -> usize {
        let mut names = self.names.lock().unwrap();
        names.push(name.to_owned());
        names.len()
    }

    #[blocking]
    fn ignores_self(&self, n: u32) -> u32 {
        n + 1
    }
}

#[test]
fn a_service_behind_an_arc_need_not_be_clone() {
    let registry = Arc::new(Registry { executor: offload_runtime::ThreadPool::new(1), names: Vec::new().into() });
    run(async {
        assert_eq!(registry.add("ada").await, 1);
        assert_eq!(registry.add("grace").await, 2);
        assert_eq!(registry.ignores_self(1).await, 2);
    });
}
