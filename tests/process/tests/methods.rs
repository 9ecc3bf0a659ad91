//! The attribute: the same methods on child processes and on threads.

use offload_runtime::remote::Local;
use offload_runtime::{Error, ThreadPool};
use pollster::block_on;
use tests_process::methods::{Pictures, ScaleError};
use tests_process::support::{Published, bounded};
use tests_process::{counted, pool, seen};

#[test]
fn on_processes() {
    Published::install();
    bounded(|| {
        counted::is_what_was_done(&pool!(max_workers(1), name("on-processes")), "on-processes", |pool| seen!(pool));
    });
}

#[test]
fn on_threads() {
    Published::install();
    bounded(|| {
        let threads = ThreadPool::builder().max_threads(1).thread_name("on-threads").build();
        counted::is_what_was_done(&Local(threads), "on-threads", |local| seen!(local.0));
    });
}

#[test]
fn a_call_is_lazy_and_its_refusal_is_the_method_s_error() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        let pictures = Pictures { workers: pool.clone() };
        drop(pictures.scale(&[1], 1));
        assert_eq!(pool.metrics().submitted(), 0);
        block_on(pool.shutdown());
        assert_eq!(block_on(pictures.scale(&[1], 1)), Err(ScaleError::Refused(Error::ShutDown.to_string())));
        let metrics = pool.metrics();
        assert_eq!(metrics.refused(), 1);
        let site = metrics.by_site()[0].site();
        assert!(site.type_name().unwrap().contains("Pictures<") && site.name() == Some("scale"), "{site}");
    });
}

#[test]
fn a_chosen_name_and_a_path_are_what_functions_are_called() {
    use offload_runtime::remote::{Failure, Format, serve};
    let call = |name: &str| block_on(serve(&ThreadPool::new(1), name, Format::Json, br#"["four"]"#.to_vec())).unwrap();
    assert_eq!(call("pictures.length"), Ok(b"4".to_vec()));
    assert_eq!(
        call("tests_process::methods::length"),
        Err(Failure::UnknownFunction("tests_process::methods::length".into()))
    );
    assert!(matches!(call("tests_process::methods::scale"), Err(Failure::Codec(_))));
}
