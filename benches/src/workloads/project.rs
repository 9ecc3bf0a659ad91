//! Scratch projects below the target directory, for the rows about compiling: a crate of 1,000 methods under each attribute, and crates that
//! depend on a macro crate and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const IMPLS: usize = 50;
const METHODS: usize = 20;

/// Twenty lines that use their arguments, `self`, `?`-less early return, a loop, a `match` and a closure.
const BODY: &str = "\
        let mut total = 0_u64;
        for (index, word) in text.split_whitespace().enumerate() {
            if word.len() < 3 {
                continue;
            }
            let weight = match index % 3 {
                0 => self.scale(n),
                1 => n,
                _ => n ^ 7,
            };
            total = total.wrapping_add(weight);
        }
        let label = text.trim();
        if label.is_empty() {
            return Err(std::io::Error::other(\"no label\"));
        }
        let seen = limits.iter().filter(|limit| **limit > total).count();
        let scaled = |x: u64| x.wrapping_mul(seen as u64 + 1);
        let result = scaled(total);
        Ok(result)
";

const HEAD: &str = "\
#![allow(dead_code)]
#[derive(Clone, Debug)]
pub struct Service { executor: offload_runtime::ThreadPool }
pub trait Scale: Sync { fn scale(&self, n: u64) -> u64; }
impl Scale for Service { fn scale(&self, n: u64) -> u64 { n.rotate_left(3) } }
";

/// An attribute, and how its users put it on methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    None,
    Blocking,
    AsyncTrait,
    Instrument,
}

impl Attribute {
    fn file(self) -> &'static str {
        match self {
            Self::None => "plain.rs",
            Self::Blocking => "blocking.rs",
            Self::AsyncTrait => "async_trait.rs",
            Self::Instrument => "instrument.rs",
        }
    }

    /// A crate of 1,000 methods of twenty lines. `async_trait` stands on traits with provided methods: there it has each method once.
    fn source(self) -> String {
        let mut source = String::from(HEAD);
        for number in 0..IMPLS {
            match self {
                Self::AsyncTrait => {
                    let _ = writeln!(source, "#[async_trait::async_trait]\npub trait Calls{number}: Scale {{");
                }
                _ => source.push_str("impl Service {\n"),
            }
            let head = match self {
                Self::None => "pub fn",
                Self::Blocking => "#[offload_runtime::blocking]\n    pub fn",
                Self::AsyncTrait => "async fn",
                Self::Instrument => "#[tracing::instrument]\n    pub fn",
            };
            for method in 0..METHODS {
                let _ = writeln!(
                    source,
                    "    {head} call_{number}_{method}(&self, text: &str, limits: &[u64], n: u64) -> std::io::Result<u64> \
                     {{\n{BODY}    }}"
                );
            }
            source.push_str("}\n");
        }
        source
    }
}

/// The crate of 1,000 methods, and what the compiler needs for it.
#[derive(Debug)]
pub(super) struct Methods {
    directory: PathBuf,
    /// `--extern` and `-L` of what it uses, built as a user's debug build has it: macros without optimisation.
    externs: Vec<String>,
}

impl Methods {
    /// Writes the sources, builds what they use, and sees that each compiles.
    pub(super) fn prepare() -> Self {
        let directory = scratch("expand");
        let dependencies = format!("{}\nasync-trait = \"0.1\"\ntracing = \"0.1\"", path_of("offload-runtime"));
        write_project(&directory, &dependencies);
        let built = run(cargo(&directory).args(["check", "--message-format=json", "--target-dir=target"]));
        let mut externs = vec![format!("-Ldependency={}", directory.join("target/debug/deps").display())];
        for line in built.lines() {
            let artifact: Value = serde_json::from_str(line).unwrap_or_default();
            let name = artifact["target"]["name"].as_str().unwrap_or_default();
            let files = artifact["filenames"].as_array().map_or(&[][..], Vec::as_slice);
            let library =
                files.iter().filter_map(Value::as_str).find(|file| Path::new(file).extension() != Some("d".as_ref()));
            if let (Some(file), true) = (library, ["offload_runtime", "async_trait", "tracing"].contains(&name)) {
                externs.push(format!("--extern={name}={file}"));
            }
        }
        assert_eq!(externs.len(), 4, "what the methods use has been built");
        let methods = Self { directory, externs };
        for attribute in [Attribute::None, Attribute::Blocking, Attribute::AsyncTrait, Attribute::Instrument] {
            fs::write(methods.directory.join(attribute.file()), attribute.source())
                .expect("the target directory is writable");
            run(&mut methods.rustc(attribute));
        }
        methods
    }

    /// Nanoseconds that rustc says it spent on expanding, for each method.
    pub(super) fn expand(&self, attribute: Attribute) -> f64 {
        let mut rustc = self.rustc(attribute);
        // The passes are told by an unstable option; nothing is analysed after the expansion.
        rustc.env("RUSTC_BOOTSTRAP", "1").args(["-Ztime-passes", "-Ztime-passes-format=json", "-Zno-analysis"]);
        let told = run(&mut rustc);
        let passes = told.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("time: ")?).ok());
        let expansion =
            passes.filter(|pass| pass["pass"] == "macro_expand_crate").find_map(|pass| pass["time"].as_f64());
        expansion.expect("rustc tells the time of this pass") * 1e9 / crate::meter::as_f64(IMPLS * METHODS)
    }

    fn rustc(&self, attribute: Attribute) -> Command {
        let mut rustc = Command::new("rustc");
        rustc.current_dir(&self.directory).args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata=checked.rmeta",
        ]);
        rustc.args(&self.externs).arg(attribute.file());
        rustc
    }
}

/// A crate that depends on one macro crate, for clean builds of it.
#[derive(Debug)]
pub(super) struct Dependent {
    directory: PathBuf,
}

impl Dependent {
    pub(super) fn of_ours() -> Self {
        Self::of("build-ours", &path_of("offload-macros"))
    }

    pub(super) fn of(name: &str, dependency: &str) -> Self {
        let directory = scratch(name);
        write_project(&directory, dependency);
        run(cargo(&directory).arg("fetch"));
        Self { directory }
    }

    /// Builds it and all it depends on, from nothing.
    pub(super) fn build(&self) {
        let target = self.directory.join("target");
        if target.exists() {
            fs::remove_dir_all(target).expect("it was made here");
        }
        run(cargo(&self.directory).args(["build", "--offline", "--target-dir=target"]));
    }
}

/// A directory of that name, for as long as the target directory is kept.
fn scratch(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let directory = target.join("benches").join(name);
    fs::create_dir_all(&directory).expect("the target directory is writable");
    directory.canonicalize().expect("it exists")
}

/// A dependency on a crate of this workspace.
fn path_of(package: &str) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in a workspace");
    format!("{package} = {{ path = '{}' }}", workspace.join(package).display())
}

fn write_project(directory: &Path, dependencies: &str) {
    let manifest = format!(
        "[package]\nname = \"scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n[workspace]\n\n\
         [dependencies]\n{dependencies}\n"
    );
    fs::write(directory.join("Cargo.toml"), manifest).expect("the target directory is writable");
    fs::write(directory.join("lib.rs"), "").expect("the target directory is writable");
}

fn cargo(directory: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(directory).arg("--quiet");
    cargo
}

/// Runs `command` to its end and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"));
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{command:?} failed:\n{stderr}");
    format!("{stdout}{stderr}")
}
