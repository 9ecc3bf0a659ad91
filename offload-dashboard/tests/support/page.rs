//! The page as the tests see it: all that it says, whether it fits a screen, and what axe finds.
#![allow(dead_code, reason = "each test uses some of it")]

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::{Value, json};

use crate::driver::Browser;

/// How long anything may take before a test fails.
const LONG: Duration = Duration::from_secs(60);

/// All that the page says, and where its keyboard is.
const LOOK: &str = r#"
    const text = (element, selector) => element.querySelector(selector)?.textContent ?? "";
    const texts = (root, selector) => [...root.querySelectorAll(selector)].map((each) => each.textContent);
    const executors = [...document.querySelectorAll("main > section")].map((section) => [section.id.replace("executor-", ""), {
        state: section.dataset.state,
        words: text(section, ".state"),
        filter: getComputedStyle(section).filter,
        figures: Object.fromEntries([...section.querySelectorAll("[data-figure]")].map((each) => [each.dataset.figure, each.textContent])),
        workers: texts(section, ".workers tbody tr"),
        threads: text(section, ".workers caption span"),
        buttons: [...section.querySelectorAll(".workers button")].map((each) => each.getAttribute("aria-label")),
        methods: texts(section, ".methods tbody tr"),
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
        panics: texts(document, ".failures li"),
        overview: texts(document, '#overview tr'),
        greys: [...document.querySelectorAll('#overview tr')].filter((row) => getComputedStyle(row).filter === "grayscale(1)")
            .map((row) => row.querySelector("th").textContent),
        columns: [...document.querySelectorAll(".methods")].filter((table) => table.offsetWidth > 0)
            .map((table) => [...table.querySelectorAll("thead th")].map((cell) => Math.round(cell.getBoundingClientRect().left)).join(" ")),
        far: [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1
            && !element.closest("svg, .unseen, .skip, thead")).map((element) => `${element.tagName}.${element.className}`).slice(0, 5),
        clipped: [...document.querySelectorAll(".overview")].filter((card) => card.scrollWidth > card.clientWidth).length,
    };
"#;

/// How far the page reaches beyond the screen while all charts are as wide as on a larger one: between a new layout and the charts' next drawing.
const OLD_CHARTS: &str = r#"
    const charts = [...document.querySelectorAll(".plot svg")];
    const widths = charts.map((chart) => chart.getAttribute("width"));
    for (const chart of charts) chart.setAttribute("width", 3000);
    const beyond = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    charts.forEach((chart, index) => chart.setAttribute("width", widths[index]));
    return beyond;
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
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|directory| directory.join("target/axe/node_modules/axe-core/axe.min.js"))
        .find(|file| file.exists())
        .expect("target/axe/node_modules/axe-core/axe.min.js; ci/setup.sh gets it")
}

pub(crate) struct Page<'a>(pub(crate) &'a Browser);

impl Page<'_> {
    pub(crate) async fn look(&self) -> Value {
        self.0.run(LOOK).await
    }

    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
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

    /// What it says of one executor, once that is so.
    pub(crate) async fn until_executor(&self, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let page = self.until(&format!("one where {name} {what}"), |page| is_so(&page["executors"][name])).await;
        page["executors"][name].clone()
    }

    pub(crate) async fn set_scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.0.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub(crate) async fn load_axe(&self) {
        let axe = std::fs::read_to_string(axe()).expect("the file is there");
        self.0.run(&format!("{axe}; window.axe = axe;")).await;
    }

    pub(crate) async fn assert_accessible(&self, when: &str) {
        assert_eq!(self.0.run_async(AXE).await, json!([]), "axe, {when}");
    }

    /// In light and in dark, with all sections folded and with all open: nothing is wider than the screen, the columns of all tables are in line, and
    /// axe finds no fault. Folded, it is at most `high` px high on a screen of 400 px.
    ///
    /// With `SERVICE_SCREENSHOTS=DIRECTORY` there are pictures of all.
    pub(crate) async fn fits_all_screens(&self, high: u64) {
        self.load_axe().await;
        for (width, height) in [(360, 740), (400, 800), (768, 1024), (800, 900), (1024, 900), (1280, 900), (1920, 1080)]
        {
            let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
            self.0.devtools("Emulation.setDeviceMetricsOverride", screen).await;
            for scheme in ["light", "dark"] {
                self.set_scheme(scheme).await;
                for open in [false, true] {
                    let fold = "for (const fold of document.querySelectorAll('.fold')) if (fold.getAttribute('aria-expanded') !== String(arguments[0])) fold.click();";
                    self.0.run(&fold.replace("arguments[0]", &open.to_string())).await;
                    let when = format!("{width} px, {scheme}, open: {open}");
                    assert_eq!(self.0.run(OLD_CHARTS).await, 0, "old charts widen the page, {when}");
                    let page = self.look().await;
                    assert_eq!(page["wide"], page["room"], "{when}: {}", page["far"]);
                    assert_eq!(page["clipped"], 0, "the overview is cut off, {when}");
                    if width == 400 && !open {
                        assert!(page["high"].as_u64().unwrap() < high, "{} high", page["high"]);
                    }
                    let columns = page["columns"].as_array().unwrap();
                    assert!(columns.iter().all(|these| *these == columns[0]), "{when}: {columns:?}");
                    self.assert_accessible(&when).await;
                    if let Ok(directory) = env::var("SERVICE_SCREENSHOTS") {
                        let file = format!("{directory}/{width}-{scheme}-{}.png", if open { "open" } else { "folded" });
                        std::fs::write(file, self.0.picture("footer").await).unwrap();
                    }
                }
            }
        }
        self.0.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    pub(crate) async fn press(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.0.act(keys).await;
    }
}
