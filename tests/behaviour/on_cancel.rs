//! Cancellation as a job sees it: outside a job, in a job inside a job, with hooks that misbehave, against something that blocks.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;

use offload_runtime::{Error, ExecutorExt, Inline, ThreadPool, check_cancelled, is_cancelled, on_cancel};
use tests::support::{Gate, PATIENCE, Tokens, finish, silence, with_hook};

#[test]
fn outside_a_job_nothing_is_cancelled() {
    let tokens = Tokens::new();
    let token = tokens.token();
    assert!(!is_cancelled());
    check_cancelled();
    let guard = on_cancel(move || drop(token));
    assert_eq!(tokens.alive(), 0, "the hook is dropped at once, unused");
    drop(guard);
    assert!(!finish(Inline.submit(is_cancelled)).unwrap());
    assert!(!is_cancelled());
}

#[test]
fn once_cancelled_it_stays_so_and_the_next_job_starts_afresh() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let handle = pool.submit(move || {
        door.pass();
        [is_cancelled(), is_cancelled()]
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    assert_eq!(finish(handle).unwrap(), [true, true]);
    assert!(!finish(pool.submit(is_cancelled)).unwrap());
}

#[test]
fn a_hook_that_panics_keeps_no_other_from_running() {
    silence();
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let _first = on_cancel(|| panic!("on purpose, in a hook"));
        let _second = on_cancel(move || ran.send(()).unwrap());
        door.pass();
        1
    });
    gate.wait_for(1);
    handle.cancel(); // does not panic
    assert_eq!(wait.try_recv(), Ok(()));
    gate.open();
    assert_eq!(finish(handle).unwrap(), 1);
}

#[test]
fn a_hook_whose_captured_value_panics_in_drop_is_contained() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("on purpose, in `drop`");
        }
    }
    silence();
    let pool = ThreadPool::new(1);
    let (disarmed, leaked) = (PanicsOnDrop, PanicsOnDrop);
    let handle = pool.submit(move || {
        drop(on_cancel(move || drop(disarmed)));
        std::mem::forget(on_cancel(move || drop(leaked)));
        1
    });
    assert_eq!(finish(handle).unwrap(), 1);
    assert_eq!(finish(pool.submit(|| 2)).unwrap(), 2);
}

#[test]
fn a_leaked_guard_keeps_its_hook_until_the_job_ends_and_no_longer() {
    let pool = ThreadPool::new(1);
    let tokens = Tokens::new();
    let token = tokens.token();
    let handle = pool.submit(move || {
        std::mem::forget(on_cancel(move || drop(token)));
    });
    finish(handle).unwrap();
    assert_eq!(tokens.alive(), 0);
}

/// A guard that is dropped before the others takes out its own hook and no other.
#[test]
fn guards_are_dropped_in_any_order() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let hook = |i| {
            let ran = ran.clone();
            on_cancel(move || ran.send(i).unwrap())
        };
        let mut guards: Vec<_> = (0..5).map(hook).collect();
        drop(guards.remove(2));
        drop(guards.remove(0));
        door.pass();
        drop(guards);
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    finish(handle).unwrap();
    assert_eq!(wait.iter().collect::<Vec<_>>(), [1, 3, 4]);
}

/// A hook may end what cancels it, look at the flag (that of its own thread's job: none), and register nothing.
#[test]
fn a_hook_runs_outside_the_job() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (saw, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let _guard = on_cancel(move || {
            drop(on_cancel(|| unreachable!()));
            saw.send(is_cancelled()).unwrap();
        });
        door.pass();
    });
    gate.wait_for(1);
    handle.cancel();
    assert_eq!(wait.try_recv(), Ok(false));
    gate.open();
    finish(handle).unwrap();
}

/// What `on_cancel` is for: a read that would block for ever comes back when the client hangs up.
#[test]
fn a_hook_interrupts_what_blocks() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (_silent_server, _) = listener.accept().unwrap();
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ended, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let interrupt = stream.try_clone().unwrap();
        let _guard = on_cancel(move || drop(interrupt.shutdown(Shutdown::Both)));
        door.pass();
        ended.send(stream.read(&mut [0; 1]).unwrap()).unwrap();
    });
    gate.wait_for(1);
    gate.open();
    drop(handle);
    assert_eq!(wait.recv_timeout(PATIENCE), Ok(0));
}

/// The unwinding passes through `catch_unwind` of the body like a panic, and may be passed on.
#[test]
fn check_cancelled_inside_catch_unwind_is_passed_on() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let handle = pool.submit(move || {
        door.pass();
        let caught = std::panic::catch_unwind(check_cancelled).unwrap_err();
        assert!(!caught.is::<&str>() && !caught.is::<String>(), "a payload of the crate's own");
        std::panic::resume_unwind(caught);
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    assert!(matches!(finish(handle), Err::<(), _>(Error::Cancelled)));
}

/// Nothing is printed for it: the panic hook is not called.
#[test]
fn check_cancelled_is_no_panic_to_the_panic_hook() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let count = move |_: &std::panic::PanicHookInfo<'_>| {
        if std::thread::current().name() == Some("no-panic-here-0") {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    };
    with_hook(count, || {
        let pool = ThreadPool::builder().max_threads(1).thread_name("no-panic-here").build();
        let gate = Gate::closed();
        let door = gate.clone();
        let handle = pool.submit(move || {
            door.pass();
            check_cancelled();
        });
        gate.wait_for(1);
        handle.cancel();
        gate.open();
        assert!(matches!(finish(handle), Err(Error::Cancelled)));
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        assert!(finish(pool.submit(|| panic!("on purpose"))).is_err());
        assert_eq!(calls.load(Ordering::SeqCst), 1, "the hook is there, and would have told");
    });
}

#[test]
fn a_guard_shows_its_name() {
    assert!(format!("{:?}", on_cancel(|| ())).starts_with("CancelGuard"));
}
