//! The alert rules and the Grafana dashboard of `offload-dashboard/monitoring`, loaded by a real Prometheus that scrapes the service.
//!
//! Debian's package `prometheus` is all it needs; `ci/setup.sh` installs it.

#![forbid(unsafe_code)]
#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;

use offload_runtime::ExecutorExt;
use serde_json::Value;
use service::PoolSize;

use crate::support::{LONG, Service};

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../offload-dashboard/monitoring")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(monitoring().join(name)).unwrap()
}

/// A Prometheus, which ends with this.
struct Prometheus {
    process: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes `service` each second.
    fn start(service: &Service) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("prometheus.yml");
        let rules = monitoring().join("alerts.yml").canonicalize().unwrap();
        let text = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{}']\nscrape_configs:\n  \
             - {{ job_name: service, static_configs: [{{ targets: ['{}'] }}] }}\n",
            rules.display(),
            service.address()
        );
        std::fs::write(&config, text).unwrap();
        // Free now. Should another take it first, Prometheus ends, and the test says so.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus, of Debian's package of that name; ci/setup.sh installs it");
        Self { process, address, _directory: directory }
    }

    /// The `data` of an answer of its API. `None`: it does not answer yet.
    async fn ask(&mut self, path: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        assert!(self.process.try_wait().unwrap().is_none(), "prometheus has ended");
        let url =
            reqwest::Url::parse_with_params(&format!("http://{}/api/v1/{path}", self.address), parameters).unwrap();
        let answer = reqwest::get(url).await.ok()?;
        let answer: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
        assert_eq!(answer["status"], "success", "{path} {parameters:?}: {answer}");
        Some(answer["data"].clone())
    }

    async fn query(&mut self, expression: &str) -> Vec<Value> {
        let data = self.ask("query", &[("query", expression)]).await;
        data.map(|data| data["result"].as_array().unwrap().clone()).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// All names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("offload_")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus; CI runs it"]
async fn prometheus_loads_the_rules_and_has_all_that_they_and_the_dashboard_name() {
    let service = Service::start_with(|config| config.cpu = PoolSize { threads: 1, queue: 4 }).await;
    service.client.join("ada").await;
    // One that its caller leaves while it runs, and one that waits behind it.
    let cpu = service.state().cpu.clone();
    let ((began, begins), (release, wait)) = (channel(), channel::<()>());
    let running = cpu.submit(move || {
        began.send(()).unwrap();
        let _ = wait.recv();
    });
    begins.recv().unwrap();
    drop(running);
    let waiting = cpu.submit(|| ());
    // The service has no view. The rules have to hold for services that have one.
    cpu.threads().unwrap().limited(1).publish_gauges();
    let mut prometheus = Prometheus::start(&service);
    let started = Instant::now();
    let mut late = Vec::new();
    while late.is_empty() {
        assert!(started.elapsed() < LONG, "nothing is scraped");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        late = prometheus.query("offload_pool_oldest_wait{pool='cpu'} > 0").await;
    }
    drop(release);
    waiting.await.unwrap();
    while prometheus.query("offload_jobs_abandoned{pool='cpu'} == 1").await.is_empty() {
        assert!(started.elapsed() < LONG, "the abandoned job is not scraped");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }

    let (alerts, grafana) = (read("alerts.yml"), read("grafana.json"));
    let known = prometheus.ask("label/__name__/values", &[]).await.unwrap();
    let known: BTreeSet<String> =
        known.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    for (file, text) in [("alerts.yml", &alerts), ("grafana.json", &grafana)] {
        let unknown: Vec<_> = names(text).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{file} names what the service does not publish: {unknown:?}");
        assert!(names(text).len() >= 8, "{file}");
    }

    // Each panel's expression is one to Prometheus.
    let dashboard: Value = serde_json::from_str(&grafana).unwrap();
    let mut answered = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap().replace("$pool", ".*").replace("$__rate_interval", "1m");
            answered += usize::from(!prometheus.query(&expression).await.is_empty());
        }
    }
    assert!(answered >= 5, "{answered} panels show something");

    // Evaluated by then, each without an error.
    let mut rules = Vec::new();
    while rules.is_empty() || rules.iter().any(|rule: &Value| rule["health"] == "unknown") {
        assert!(started.elapsed() < LONG, "the rules are not evaluated: {rules:?}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let groups = prometheus.ask("rules", &[]).await.unwrap();
        rules = groups["groups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap().clone())
            .collect();
    }
    assert_eq!(rules.len(), alerts.matches("- alert:").count());
    assert!(rules.iter().all(|rule| rule["health"] == "ok"), "{rules:#?}");
    drop(prometheus);
    service.stop().await.0.unwrap();
}

/// Each alert fires where it should, and not before: `alerts.test.yml`.
#[test]
#[ignore = "needs Prometheus; CI runs it"]
fn each_alert_fires_where_it_should() {
    let test = Command::new("promtool").args(["test", "rules", "alerts.test.yml"]).current_dir(monitoring()).output();
    let test = test.expect("promtool, of Debian's package prometheus; ci/setup.sh installs it");
    assert!(
        test.status.success(),
        "{}{}",
        String::from_utf8_lossy(&test.stdout),
        String::from_utf8_lossy(&test.stderr)
    );
    let (alerts, tested) = (read("alerts.yml"), read("alerts.test.yml"));
    for alert in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tested.contains(&format!("alertname: {alert}\n")), "{alert} is not tested to fire");
    }
}
