//! Child processes on the page, in headless Chromium. Without the harness, as the children are this program: `init` comes first.

#![forbid(unsafe_code)]

#[cfg(unix)]
#[path = "support/driver.rs"]
mod driver;
#[cfg(unix)]
#[path = "support/page.rs"]
mod page;
#[cfg(unix)]
#[path = "support/serve.rs"]
mod serve;

#[cfg(unix)]
fn main() {
    offload_runtime::process::init();
    let name = "child_processes_and_their_restarts_are_shown";
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let has = |argument: &str| arguments.iter().any(|each| each == argument);
    // What `cargo test` and `nextest` ask of the harness.
    if has("--list") {
        println!("{name}: test");
    } else if has("--ignored") || has("--include-ignored") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(scenario::child_processes_and_their_restarts_are_shown());
        println!("test {name} ... ok");
    } else {
        println!("test {name} ... ignored, needs Chromium; CI runs it");
    }
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod scenario {
    use std::thread;
    use std::time::Duration;

    use offload_dashboard::Dashboard;
    use offload_runtime::blocking;
    use offload_runtime::process::ProcessPool;
    use serde_json::{Value, json};

    use crate::page::Page;
    use crate::serve::open;

    #[derive(Clone)]
    struct Decoder {
        workers: ProcessPool,
    }

    impl Decoder {
        #[blocking(remote, executor = workers)]
        fn decode(&self, file: &str) -> Result<usize, String> {
            match file {
                "broken" => std::process::exit(1),
                // Until it is killed.
                "endless" => thread::sleep(Duration::from_secs(120)),
                _ => {}
            }
            Ok(file.len())
        }
    }

    fn has(texts: &Value, text: &str) -> bool {
        texts.as_array().is_some_and(|texts| texts.iter().any(|each| each.as_str().unwrap().contains(text)))
    }

    pub(super) async fn child_processes_and_their_restarts_are_shown() {
        let workers = ProcessPool::builder().max_workers(3).name("decoders").build().unwrap();
        let decoder = Decoder { workers };
        assert_eq!(decoder.decode("whole").await, Ok(5));
        for _ in 0..2 {
            decoder.decode("broken").await.unwrap_err();
        }
        let running = tokio::spawn({
            let decoder = decoder.clone();
            async move { decoder.decode("endless").await }
        });
        let dashboard = Dashboard::new().processes("decoders", &decoder.workers).allow_cancel(|_| true);
        let browser = open(dashboard.router()).await;
        let page = Page(&browser);
        let shown = page.until_executor("decoders", "runs one", |each| has(&each["workers"], "Decoder::decode")).await;
        let process = decoder.workers.running_jobs()[0].process_id();
        assert!(has(&shown["workers"], &format!("process {process}")), "{shown}");
        assert!(has(&shown["workers"], "2 processes replaced: died"), "{shown}");
        assert_eq!(shown["figures"]["running"], "1 / 3");
        assert!(shown["figures"]["failed"] == "2", "{shown}");
        // Its caller cancels it, by dropping the future.
        assert_eq!(shown["buttons"], json!([]));
        page.fits_all_screens(1000).await;

        running.abort();
        let cancelled = |each: &Value| has(&each["workers"], "1 process replaced: cancelled");
        let shown = page.until_executor("decoders", "says that it was cancelled", cancelled).await;
        assert!(!has(&shown["workers"], "Decoder::decode"), "{shown}");
        let ended = decoder.workers.shutdown();
        page.until_executor("decoders", "is closed", |each| each["state"] == "closed").await;
        ended.await;
        browser.assert_quiet().await;
        browser.close().await;
    }
}
