//! The live page in a browser: headless Chromium, driven by `WebDriver`, while the load generator drives the service.
//!
//! Debian's packages `chromium` and `chromium-driver` are all it needs; `ci/setup.sh` installs them. With `SERVICE_SCREENSHOT=FILE` it
//! takes two minutes, the last of them under load, and writes what the page looks like then; with `SERVICE_SCREENSHOT_DARK=FILE` too,
//! what it looks like in dark. The README's is made by
//! `SERVICE_SCREENSHOT=$PWD/examples/service/pools.png cargo test --release -p service --test browser -- --ignored`.

#![forbid(unsafe_code)]
#![cfg(unix)]

#[path = "support/driver.rs"]
mod driver;
mod support;

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use offload_runtime::ExecutorExt;
use serde_json::{Value, json};
use service::PoolSize;

use crate::driver::Browser;
use crate::support::{LONG, Service};

/// All that the page says, and where its keyboard is.
const LOOK: &str = r#"
    const text = (element, selector) => element.querySelector(selector)?.textContent ?? "";
    const executors = [...document.querySelectorAll("main > section")].map((section) => [section.id, {
        state: section.dataset.state,
        figures: Object.fromEntries([...section.querySelectorAll("[data-figure]")].map((each) => [each.dataset.figure, each.textContent])),
        workers: text(section, ".workers tbody"),
        methods: [...section.querySelectorAll(".methods tbody tr")].map((row) => row.textContent),
        line: section.querySelector(".lane.queue .line")?.getAttribute("d"),
        output: text(section, "output"),
    }]);
    const focus = document.activeElement;
    return {
        link: document.getElementById("link").dataset.state,
        words: document.getElementById("link").textContent,
        samples: Number(document.documentElement.dataset.samples ?? 0),
        executors: Object.fromEntries(executors),
        focus: focus.id || focus.getAttribute("href") || focus.getAttribute("aria-label") || focus.tagName,
        outline: getComputedStyle(focus).outlineStyle,
        paused: document.getElementById("pause").getAttribute("aria-pressed"),
        ground: getComputedStyle(document.body).backgroundColor,
        wide: document.documentElement.scrollWidth,
        room: document.documentElement.clientWidth,
        high: document.documentElement.scrollHeight,
        title: document.title,
        panics: [...document.querySelectorAll(".failures li")].map((item) => item.textContent),
        overview: [...document.querySelectorAll('#overview tr')].map((row) => row.textContent),
        columns: [...document.querySelectorAll(".methods")].filter((table) => table.offsetWidth > 0)
            .map((table) => [...table.querySelectorAll("thead th")].map((cell) => Math.round(cell.getBoundingClientRect().left)).join(" ")),
        far: [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1
            && !element.closest("svg, .unseen, .skip, thead")).map((element) => `${element.tagName}.${element.className}`).slice(0, 5),
    };
"#;

/// What axe finds, in a few words for each.
const AXE: &str = r#"
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ["violations"] }).then(
        ({ violations }) => done(violations.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`)])),
        (error) => done([String(error)]));
"#;

/// Where `ci/setup.sh` puts the package `axe-core`.
fn axe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/axe/node_modules/axe-core/axe.min.js")
}

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
        assert_eq!(
            idle["executors"][format!("executor-{executor}")]["figures"]["queued"].as_str().map(|text| &text[..1]),
            Some("0")
        );
    }

    let wants_picture = env::var_os("SERVICE_SCREENSHOT").is_some();
    if wants_picture {
        Load::start(service.address(), "60", "30").ended();
    }
    let load = Load::start(service.address(), "75", "250");
    let busy = page.until_cpu("refuses", |cpu| cpu["state"] == "refusing").await;
    let later = page
        .until_cpu("moves on", |cpu| cpu["line"] != busy["line"] && cpu["figures"]["done"] != busy["figures"]["done"])
        .await;
    assert!(later["figures"]["running"].as_str().unwrap().ends_with(" / 2"), "{later}");
    assert!(later["figures"]["queued"].as_str().unwrap().ends_with(" / 16"), "{later}");
    assert!(
        later["methods"].as_array().unwrap().iter().any(|row| row.as_str().unwrap().starts_with("Accounts::verify")),
        "{later}"
    );
    page.until_cpu("shows who works", |cpu| cpu["workers"].as_str().unwrap().contains("cpu-")).await;
    page.until("one whose title says so", |page| page["title"] == "cpu refusing · Pools").await;
    // A job without the name of a method is the widest, and a panic is shown with its message.
    let files = service.state().files.clone();
    files.submit(|| ()).await.unwrap();
    files.submit(|| panic!("as the test asked")).await.unwrap_err();
    page.until("one with the panic", |page| page["panics"].to_string().contains("as the test asked")).await;

    if wants_picture {
        tokio::time::sleep(Duration::from_secs(50)).await;
    }
    let [light, dark] = page.in_both_schemes().await;
    assert_ne!(light, dark, "the page looks the same in light and dark");
    page.fits_all_screens().await;
    page.is_filtered_and_ordered().await;
    page.says_when_it_is_paused().await;
    page.follows_the_keyboard().await;

    browser.assert_quiet().await;
    drop(load);
    service.stop().await.0.unwrap();
    page.until("said to have ended", |page| page["link"] == "lost").await;
    browser.close().await;
}

struct Page<'a>(&'a Browser);

impl Page<'_> {
    async fn look(&self) -> Value {
        self.0.run(LOOK).await
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let page = self.look().await;
            if is_so(&page) {
                return page;
            }
            assert!(begin.elapsed() < LONG, "the page is never {what}: {page:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn until_cpu(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let page = self.until(&format!("one where cpu {what}"), |page| is_so(&page["executors"]["executor-cpu"])).await;
        page["executors"]["executor-cpu"].clone()
    }

    /// The colour of its ground in light and in dark, and pictures of both where they are asked for.
    async fn in_both_schemes(&self) -> [Value; 2] {
        let mut grounds = [Value::Null, Value::Null];
        for (number, (scheme, file)) in
            [("light", "SERVICE_SCREENSHOT"), ("dark", "SERVICE_SCREENSHOT_DARK")].into_iter().enumerate()
        {
            let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
            self.0.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
            grounds[number] = self.look().await["ground"].clone();
            if let Ok(file) = env::var(file) {
                std::fs::write(file, self.0.picture("#executor-cpu").await).unwrap();
            }
        }
        grounds
    }

    /// In light and in dark: nothing is wider than the screen, the columns of all tables are in line, and axe finds no fault.
    ///
    /// With `SERVICE_SCREENSHOTS=DIRECTORY` there are pictures of all.
    async fn fits_all_screens(&self) {
        let axe = std::fs::read_to_string(axe())
            .unwrap_or_else(|error| panic!("{}: {error}; ci/setup.sh gets it", axe().display()));
        self.0.run(&format!("{axe}; window.axe = axe;")).await;
        for (width, height) in [(360, 740), (400, 800), (768, 1024), (800, 900), (1024, 900), (1280, 900), (1920, 1080)]
        {
            let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
            self.0.devtools("Emulation.setDeviceMetricsOverride", screen).await;
            for scheme in ["light", "dark"] {
                let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
                self.0.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
                for open in [false, true] {
                    let fold = "for (const fold of document.querySelectorAll('.fold')) if (fold.getAttribute('aria-expanded') !== String(arguments[0])) fold.click();";
                    self.0.run(&fold.replace("arguments[0]", &open.to_string())).await;
                    let page = self.look().await;
                    assert_eq!(page["wide"], page["room"], "{width} {scheme}, open: {open}: {}", page["far"]);
                    if width == 400 && !open {
                        assert!(page["high"].as_u64().unwrap() < 1300, "{} high", page["high"]);
                    }
                    let columns = page["columns"].as_array().unwrap();
                    assert!(columns.iter().all(|these| *these == columns[0]), "{width}: {columns:?}");
                    let faults = self.0.run_async(AXE).await;
                    assert_eq!(faults, json!([]), "axe, {width} {scheme}, open: {open}");
                    if let Ok(directory) = env::var("SERVICE_SCREENSHOTS") {
                        let file = format!("{directory}/{width}-{scheme}-{}.png", if open { "open" } else { "folded" });
                        std::fs::write(file, self.0.picture("footer").await).unwrap();
                    }
                }
            }
        }
        self.0.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    async fn is_filtered_and_ordered(&self) {
        let set = |id: &str, value: &str| {
            format!(
                "const e = document.getElementById('{id}'); e.value = '{value}'; e.dispatchEvent(new Event('input', {{ bubbles: true }}));"
            )
        };
        self.0.run(&set("filter", "accounts::verify")).await;
        let page = self.look().await;
        assert_eq!(page["overview"].as_array().unwrap().len(), 1, "{page}");
        assert_eq!(page["executors"]["executor-cpu"]["methods"].as_array().unwrap().len(), 1, "{page}");
        self.0.run(&set("filter", "")).await;
        self.0.run(&set("order", "failing")).await;
        self.0.run(&set("window", "m1")).await;
        let page = self.look().await;
        let overview = page["overview"].as_array().unwrap();
        assert!(overview[0].as_str().unwrap().starts_with("cpu"), "{overview:?}");
        self.0.run(&set("order", "name")).await;
        self.0.run(&set("window", "all")).await;
    }

    async fn says_when_it_is_paused(&self) {
        self.0.run("document.getElementById('pause').click()").await;
        let page = self.look().await;
        assert!(page["words"].as_str().unwrap().starts_with("Paused"), "{page}");
        assert_eq!((&page["link"], &page["title"]), (&json!("paused"), &json!("Paused · Pools")));
        self.0.run("document.getElementById('pause').click()").await;
        self.until("live again", |page| page["link"] == "live").await;
    }

    /// All that can be done is reached by Tab, is seen to be, and does its work by the keys.
    async fn follows_the_keyboard(&self) {
        self.0.run("window.scrollTo(0, 0); document.activeElement.blur();").await;
        let mut reached = Vec::new();
        for _ in 0..15 {
            self.press(Key::Tab.into()).await;
            let page = self.look().await;
            assert_ne!(page["outline"], "none", "{} has no outline", page["focus"]);
            reached.push(page["focus"].as_str().unwrap().to_owned());
            match reached.last().unwrap().as_str() {
                "pause" => {
                    self.press(' ').await;
                    assert_eq!(self.look().await["paused"], "true");
                    self.press(' ').await;
                    assert_eq!(self.look().await["paused"], "false");
                }
                plot if plot.starts_with("cpu, ") => {
                    for _ in 0..3 {
                        self.press(Key::Left.into()).await;
                    }
                    let told = self.look().await["executors"]["executor-cpu"]["output"].clone();
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

    async fn press(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.0.act(keys).await;
    }
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
