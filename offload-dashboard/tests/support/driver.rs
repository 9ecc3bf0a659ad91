//! Headless Chromium, driven by `chromedriver`: a group of processes, and a directory that goes with them.
//!
//! Beside what `WebDriver` has, `chromedriver` passes on commands of the developer tools (for colour schemes and screens) and what the
//! console was told.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use axum::http::Method;
use data_encoding::BASE64;
use fantoccini::actions::KeyActions;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

const OPTIONS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
];

/// A browser with one page.
pub(crate) struct Browser {
    client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Not the test's: a browser that outlives a test that is killed would keep it open, and its reader waiting.
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver, of Debian's package chromium-driver; ci/setup.sh installs it");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let started =
            |line: String| Some(line.strip_suffix('.')?.split_once("started successfully on port ")?.1.to_owned());
        let port = lines.map_while(Result::ok).find_map(started).expect("chromedriver tells its port");
        let profile = TempDir::new().unwrap();
        let mut arguments = OPTIONS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let Value::Object(capabilities) = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("it is an object")
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        Self { client, driver, _profile: profile }
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Runs the body of a function in the page; what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// As `run`, of a script that gives its result to its last argument, a function.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.client.execute_async(script, Vec::new()).await.unwrap()
    }

    pub(crate) async fn act(&self, keys: KeyActions) {
        self.client.perform_actions(keys).await.unwrap();
    }

    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.issue("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// The page from its top to the end of an element, as PNG.
    pub(crate) async fn picture(&self, last: &str) -> Vec<u8> {
        let end = format!("return document.querySelector('{last}').getBoundingClientRect().bottom + scrollY + 16");
        let clip = json!({
            "x": 0, "y": 0, "scale": 1, "height": self.run(&end).await,
            "width": self.run("return document.documentElement.clientWidth").await,
        });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.devtools("Page.captureScreenshot", wanted).await;
        BASE64.decode(picture["data"].as_str().unwrap().as_bytes()).unwrap()
    }

    /// Fails if the console shows an error or a warning: an exception, a file that is missing, what the policy forbids.
    pub(crate) async fn assert_quiet(&self) {
        let log = self.issue("se/log", json!({ "type": "browser" })).await;
        assert_eq!(log, json!([]), "the console was told something");
    }

    async fn issue(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Passed { path, body }).await.unwrap()
    }

    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser, too, which a killed driver leaves behind. After `close` it has ended, but the driver has not.
        let group = nix::unistd::Pid::from_raw(self.driver.id().try_into().unwrap());
        nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
        let _ = self.driver.wait();
    }
}

/// A command of `chromedriver`'s own.
#[derive(Debug)]
struct Passed {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Passed {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
