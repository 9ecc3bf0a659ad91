//! The attribute: the same methods on child processes and on threads.

use std::path::Path;

use offload_runtime::remote::{Local, RemoteExecutor};
use offload_runtime::{Error, ThreadPool};
use pollster::block_on;
use tests_process::methods::{Pictures, Point, ScaleError};
use tests_process::pool;
use tests_process::support::bounded;

fn methods_behave_as_written(workers: impl RemoteExecutor) {
    let pictures = Pictures { workers };
    block_on(async {
        assert_eq!(pictures.scale(&[7, 8], 2).await, Ok(vec![7; 3]));
        assert_eq!(pictures.scale(&[], 2).await, Err(ScaleError::Bad("empty".into())));
        let described = pictures.describe("a", Path::new("/tmp/x"), Some("b"), "c".into()).await;
        assert_eq!(described, "a /tmp/x b c");
        assert_eq!(pictures.describe("a", Path::new("x"), None, String::new().into()).await, "a x - ");
        let points = [Point { x: 1, y: 2 }];
        assert_eq!(pictures.shift(&points, Point { x: 10, y: 20 }).await, [Point { x: 11, y: 22 }]);
        pictures.nothing().await;
        assert_eq!(pictures.length("four").await.unwrap(), 4);
        assert_eq!(pictures.longest("abc", Path::new("de")).await, Path::new("abc"));
    });
    let panics = std::panic::AssertUnwindSafe(|| block_on(pictures.fails("out of cheese")));
    let payload = std::panic::catch_unwind(panics).unwrap_err();
    assert!(payload.downcast::<String>().unwrap().starts_with("out of cheese"));
}

#[test]
fn on_processes() {
    bounded(|| methods_behave_as_written(pool!(max_workers(1))));
}

#[test]
fn on_threads() {
    bounded(|| methods_behave_as_written(Local(ThreadPool::new(1))));
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
