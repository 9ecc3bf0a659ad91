//! What a call gives: a lazy future, a handle, a boxed future; and the synchronous twin.

use crate::{Service, on_worker, run};
use offload_runtime::{Error, JobHandle, blocking};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts its clones.
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&self.0))
    }
}

impl Service {
    #[blocking]
    fn lazy(&self, counted: &Counted, ran: Arc<AtomicUsize>) -> usize {
        ran.fetch_add(1, Ordering::SeqCst);
        counted.0.load(Ordering::SeqCst)
    }

    #[blocking(handle)]
    fn eager(&self, text: &str, (a, _): (usize, u8)) -> usize {
        assert!(on_worker());
        text.len() + a + self.words.len()
    }

    #[blocking(handle)]
    fn eager_by_arc(self: Arc<Self>) -> usize {
        self.words.len()
    }

    #[blocking(handle)]
    fn eager_by_value(self) -> usize {
        self.words.len()
    }

    #[blocking(handle)]
    fn eager_error(&self) -> Result<usize, String> {
        Err(format!("{} words", self.words.len()))
    }

    #[blocking(boxed)]
    fn boxed<'a, T: Clone + Send + Sync + 'static, const N: usize>(
        &self,
        text: &'a str,
        more: Option<&str>,
        list: &[T; N],
        (a, _): (usize, u8),
        shown: impl ToString + Send + 'static,
    ) -> usize {
        text.len() + more.map_or(0, str::len) + list.len() + a + shown.to_string().len() + self.words.len()
    }

    #[blocking(sync = count_sync)]
    pub(crate) fn count(&self, text: &str, (a, _): (usize, String), mut n: usize, _: &str, opt: Option<&str>) -> usize {
        n += a;
        text.len() + n + self.words.len() + opt.map_or(0, str::len)
    }

    #[blocking(sync = take_sync, boxed)]
    fn take(self: Box<Self>, n: usize) -> usize {
        self.words.len() + n
    }

    #[blocking(sync = create_sync)]
    fn create() -> Self {
        Self::new()
    }

    #[blocking(sync = Self::associated_sync)]
    fn associated(n: usize) -> usize {
        n + 1
    }

    #[blocking(sync = pointer_sync)]
    #[expect(unsafe_code, reason = "an unsafe method is under test")]
    unsafe fn pointer(&self, address: usize) -> u8 {
        // SAFETY: the caller of an `unsafe fn` sees to it.
        unsafe { *(address as *const u8) }
    }
}

#[blocking(sync = free_sync)]
fn free(n: usize) -> usize {
    if n == 0 { 0 } else { free_sync(n - 1) + 1 }
}

#[test]
fn a_future_is_lazy() {
    let (service, clones, ran) = (Service::new(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let counted = Counted(Arc::clone(&clones));
    let future = service.lazy(&counted, Arc::clone(&ran));
    assert_eq!(Arc::strong_count(&service.words), 1, "`self` is not cloned before the first poll");
    assert_eq!(clones.load(Ordering::SeqCst), 0, "nor is an argument");
    drop(future);
    assert_eq!(ran.load(Ordering::SeqCst), 0, "and nothing was submitted");
    assert_eq!(run(service.lazy(&counted, Arc::clone(&ran))), 1);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn a_handle_is_submitted_by_the_call_and_static() {
    fn assert_static<T: Send + 'static>(handle: JobHandle<T>) -> JobHandle<T> {
        handle
    }
    let text = "four".to_owned();
    let handle = {
        let service = Service::new();
        assert_static(service.eager(&text, (1, 0)))
    };
    drop(text);
    while !handle.is_finished() {
        std::thread::yield_now();
    }
    assert_eq!(run(handle).unwrap(), 8);
    assert_eq!(run(Arc::new(Service::new()).eager_by_arc()).unwrap(), 3);
    assert_eq!(run(Service::new().eager_by_value()).unwrap(), 3);
    let nested: Result<Result<usize, String>, Error> = run(Service::new().eager_error());
    assert_eq!(nested.unwrap(), Err("3 words".to_owned()));
}

#[test]
fn a_boxed_future_is_one() {
    let service = Service::new();
    let future: Pin<Box<dyn Future<Output = usize> + Send + '_>> =
        service.boxed("four", Some("two"), &[1, 2], (1, 0), "shown");
    assert_eq!(run(future), 4 + 3 + 2 + 1 + 5 + 3);
}

#[test]
fn the_twin_is_the_method_itself() {
    let service = Service::new();
    assert_eq!(run(service.count("four", (1, String::new()), 2, "", Some("x"))), 11);
    assert_eq!(service.count_sync("four", (1, String::new()), 2, "", Some("x")), 11);
    assert_eq!(run(Box::new(service.clone()).take(1)), 4);
    assert_eq!(Box::new(service).take_sync(1), 4);
    assert_eq!(run(Service::create()).words, Service::create_sync().words);
    assert_eq!((run(Service::associated(1)), Service::associated_sync(1)), (2, 2));
    assert_eq!((run(free(3)), free_sync(3)), (3, 3));
}

#[test]
#[expect(unsafe_code, reason = "an unsafe method is under test")]
fn an_unsafe_method_stays_unsafe() {
    static BYTE: u8 = 7;
    let address = &raw const BYTE as usize;
    // SAFETY: the address is that of a static.
    assert_eq!(unsafe { Service::new().pointer_sync(address) }, 7);
    let service = Service::new();
    // SAFETY: the address is that of a static.
    assert_eq!(run(unsafe { service.pointer(address) }), 7);
}

#[test]
fn the_future_is_send() {
    fn assert_send<T: Send>(future: T) -> T {
        future
    }
    let service = Service::new();
    assert_eq!(run(assert_send(service.count("", (0, String::new()), 0, "", None))), 3);
    assert_eq!(run(assert_send(Arc::new(service).eager_by_arc())).unwrap(), 3);
}

#[tokio::test]
async fn a_future_of_an_arc_can_be_spawned() {
    let service = Arc::new(Service::new());
    let spawned = tokio::spawn(async move { service.count("four", (0, String::new()), 0, "", None).await });
    assert_eq!(spawned.await.unwrap(), 7);
    assert_eq!(tokio::spawn(Service::new().eager("", (0, 0))).await.unwrap().unwrap(), 3);
}
