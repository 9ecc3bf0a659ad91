//! The live page in a browser: headless Chromium, driven by `WebDriver`, while the load generator drives the service.
//!
//! Debian's packages `chromium` and `chromium-driver` are all it needs; `ci/setup.sh` installs them. With `SERVICE_SCREENSHOT=FILE` it
//! takes two minutes, the last of them under load, and writes what the page looks like then; with `SERVICE_SCREENSHOT_DARK=FILE` too,
//! what it looks like in dark. The README's is made by
//! `SERVICE_SCREENSHOT=$PWD/examples/service/pools.png cargo test --release -p service --test browser -- --ignored`.

#![forbid(unsafe_code)]
#![cfg(unix)]

#[path = "../../../offload-dashboard/tests/support/driver.rs"]
mod driver;
#[path = "../../../offload-dashboard/tests/support/page.rs"]
mod page;
mod support;

use std::env;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use fantoccini::key::Key;
use offload_runtime::ExecutorExt;
use serde_json::{Value, json};
use service::PoolSize;

use crate::driver::Browser;
use crate::page::Page;
use crate::support::Service;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium; CI runs it"]
async fn the_page_is_alive_under_load() {
    let service = Service::start_with(|config| {
        config.cpu = PoolSize { threads: 2, queue: 16 };
        config.hashing = argon2::Params::DEFAULT;
    })
    .await;
    let browser = Browser::start().await;
    browser.goto(&format!("http://{}/pools", service.address())).await;
    let page = Page(&browser);
    let idle = page.until("live", |page| page["link"] == "live" && page["samples"].as_u64() > Some(1)).await;
    for executor in ["db", "cpu", "files"] {
        assert_eq!(idle["executors"][executor]["figures"]["queued"].as_str().map(|text| &text[..1]), Some("0"));
    }

    let wants_picture = env::var_os("SERVICE_SCREENSHOT").is_some();
    if wants_picture {
        Load::start(service.address(), "60", "30").ended();
    }
    let load = Load::start(service.address(), "75", "250");
    let busy = page.until_executor("cpu", "refuses", |cpu| cpu["state"] == "refusing").await;
    let later = page
        .until_executor("cpu", "moves on", |cpu| {
            cpu["line"] != busy["line"] && cpu["figures"]["done"] != busy["figures"]["done"]
        })
        .await;
    assert!(later["figures"]["running"].as_str().unwrap().ends_with(" / 2"), "{later}");
    assert!(later["figures"]["queued"].as_str().unwrap().ends_with(" / 16"), "{later}");
    assert!(
        later["methods"].as_array().unwrap().iter().any(|row| row.as_str().unwrap().starts_with("Accounts::verify")),
        "{later}"
    );
    page.until_executor("cpu", "shows who works", |cpu| cpu["workers"].to_string().contains("cpu-")).await;
    page.until("one whose title says so", |page| page["title"] == "cpu refusing · Pools").await;
    // A job without the name of a method is the widest, and a panic is shown with its message.
    let files = service.state().files.clone();
    files.submit(|| ()).await.unwrap();
    files.submit(|| panic!("as the test asked")).await.unwrap_err();
    page.until("one with the panic", |page| page["panics"].to_string().contains("as the test asked")).await;

    if wants_picture {
        tokio::time::sleep(Duration::from_secs(50)).await;
    }
    let [light, dark] = in_both_schemes(&page).await;
    assert_ne!(light, dark, "the page looks the same in light and dark");
    page.fits_all_screens(1300).await;
    is_filtered_and_ordered(&page).await;
    says_when_it_is_paused(&page).await;
    follows_the_keyboard(&page).await;

    browser.assert_quiet().await;
    drop(load);
    service.stop().await.0.unwrap();
    page.until("said to have ended", |page| page["link"] == "lost").await;
    browser.close().await;
}

/// The colour of its ground in light and in dark, and pictures of both where they are asked for.
async fn in_both_schemes(page: &Page<'_>) -> [Value; 2] {
    let mut grounds = [Value::Null, Value::Null];
    for (number, (scheme, file)) in
        [("light", "SERVICE_SCREENSHOT"), ("dark", "SERVICE_SCREENSHOT_DARK")].into_iter().enumerate()
    {
        page.set_scheme(scheme).await;
        grounds[number] = page.look().await["ground"].clone();
        if let Ok(file) = env::var(file) {
            std::fs::write(file, page.0.picture("#executor-cpu").await).unwrap();
        }
    }
    grounds
}

async fn is_filtered_and_ordered(page: &Page<'_>) {
    let set = |id: &str, value: &str| {
        format!(
            "const e = document.getElementById('{id}'); e.value = '{value}'; e.dispatchEvent(new Event('input', {{ bubbles: true }}));"
        )
    };
    page.0.run(&set("filter", "accounts::verify")).await;
    let seen = page.look().await;
    assert_eq!(seen["overview"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["executors"]["cpu"]["methods"].as_array().unwrap().len(), 1, "{seen}");
    page.0.run(&set("filter", "")).await;
    page.0.run(&set("order", "failing")).await;
    page.0.run(&set("window", "m1")).await;
    let seen = page.look().await;
    let overview = seen["overview"].as_array().unwrap();
    assert!(overview[0].as_str().unwrap().starts_with("cpu"), "{overview:?}");
    page.0.run(&set("order", "name")).await;
    page.0.run(&set("window", "all")).await;
}

async fn says_when_it_is_paused(page: &Page<'_>) {
    page.0.run("document.getElementById('pause').click()").await;
    let seen = page.look().await;
    assert!(seen["words"].as_str().unwrap().starts_with("Paused"), "{seen}");
    assert_eq!((&seen["link"], &seen["title"]), (&json!("paused"), &json!("Paused · Pools")));
    page.0.run("document.getElementById('pause').click()").await;
    page.until("live again", |page| page["link"] == "live").await;
}

/// All that can be done is reached by Tab, is seen to be, and does its work by the keys.
async fn follows_the_keyboard(page: &Page<'_>) {
    page.0.run("window.scrollTo(0, 0); document.activeElement.blur();").await;
    let mut reached = Vec::new();
    for _ in 0..15 {
        page.press(Key::Tab.into()).await;
        let seen = page.look().await;
        assert_ne!(seen["outline"], "none", "{} has no outline", seen["focus"]);
        reached.push(seen["focus"].as_str().unwrap().to_owned());
        match reached.last().unwrap().as_str() {
            "pause" => {
                page.press(' ').await;
                assert_eq!(page.look().await["paused"], "true");
                page.press(' ').await;
                assert_eq!(page.look().await["paused"], "false");
            }
            plot if plot.starts_with("cpu, ") => {
                for _ in 0..3 {
                    page.press(Key::Left.into()).await;
                }
                let told = page.look().await["executors"]["cpu"]["output"].clone();
                assert!(told.as_str().unwrap().starts_with("3 s ago: "), "{told}");
            }
            _ => {}
        }
    }
    let plot = |name: &str| format!("{name}, the last two minutes: seconds before now");
    let tools = [
        "#executors",
        "pause",
        "metrics",
        "filter",
        "window",
        "order",
        "#executor-db",
        "#executor-cpu",
        "#executor-files",
    ];
    let cards = ["db", "cpu", "files"].into_iter().flat_map(|name| ["BUTTON".to_owned(), plot(name)]);
    assert_eq!(reached, tools.map(str::to_owned).into_iter().chain(cards).collect::<Vec<_>>());
}

/// The load generator, which ends with this.
#[derive(Debug)]
struct Load(std::process::Child);

impl Load {
    fn start(address: SocketAddr, seconds: &str, rate: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
        command.args(["--address", &address.to_string(), "--seconds", seconds, "--rate", rate]);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    fn ended(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
