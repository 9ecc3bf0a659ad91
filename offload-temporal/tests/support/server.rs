//! The development server: `temporal server start-dev` on free ports, with its database in a file.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use offload_temporal::Temporal;
use pollster::block_on;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::eventually;
use super::raw::Raw;

/// A server that lives as long as this.
pub(crate) struct Server {
    port: u16,
    files: TempDir,
    child: Mutex<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let (port, files) = (free_port(), TempDir::new().unwrap());
        let child = Mutex::new(spawn(port, files.path()));
        let server = Self { port, files, child };
        server.wait();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// With three attempts: on a busy machine the development server now and then counts a call as begun that no worker was given.
    pub(crate) fn connect(&self) -> Temporal {
        connect(&self.url())
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it again after `kill`, with the same port and database.
    pub(crate) fn restart(&self) {
        *self.child.lock().unwrap() = spawn(self.port, self.files.path());
        self.wait();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal_child(&self.child.lock().unwrap(), signal);
    }

    fn wait(&self) {
        // It accepts connections before it has its default namespace.
        eventually("the server answers", || Raw::try_connect(&self.url()).is_some_and(|raw| raw.is_ready()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

pub(crate) fn connect(url: &str) -> Temporal {
    block_on(Temporal::connect(url)).unwrap().attempts(3).heartbeat(Duration::from_secs(5))
}

pub(crate) fn signal_child(child: &Child, signal: Signal) {
    let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn spawn(port: u16, files: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(files.join("log")).unwrap();
    Command::new(program())
        .args(["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "error"])
        .arg("--db-filename")
        .arg(files.join("temporal.db"))
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("`temporal` cannot be started ({error}): `ci/temporal.sh` installs it"))
}

/// `temporal` on the path, or where `ci/temporal.sh` puts it.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("OFFLOAD_TEMPORAL_SERVER") {
        return program.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/temporal/bin/temporal");
    if installed.exists() { installed } else { "temporal".into() }
}
