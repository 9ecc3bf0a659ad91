//! The server as a process, and ways to ask it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use crate::process::{PATIENCE, Process, example, workspace};

/// The example, listening on a free port.
pub(crate) struct Web {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// What it printed when it had begun to listen.
    pub(crate) greeting: Vec<String>,
    agent: ureq::Agent,
}

/// A status and a body.
pub(crate) type Answer = (u16, String);

impl Web {
    /// Serves the workspace.
    pub(crate) fn start() -> Self {
        Self::serving(workspace())
    }

    pub(crate) fn serving(root: &Path) -> Self {
        let mut process = Process::start(example("web").arg(root).env("PORT", "0"));
        let greeting: Vec<String> = std::iter::from_fn(|| process.stdout.next()).take(5).collect();
        let address = greeting.first().and_then(|first| first.split(['/', ',']).nth(2));
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {greeting:#?}\n{}", process.stderr.rest()));
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { process, address, greeting, agent: config.build().into() }
    }

    /// Asks and waits for the answer.
    pub(crate) fn get(&self, target: &str) -> Answer {
        let mut response = self.agent.get(format!("http://{}{target}", self.address)).call().expect("an answer");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("the answer is text"))
    }

    pub(crate) fn connect(&self) -> io::Result<Connection> {
        Connection::to(self.address)
    }

    /// Asks on a connection of its own, and does not wait.
    pub(crate) fn send(&self, target: &str) -> Connection {
        let mut connection = self.connect().expect("the server accepts");
        connection.write(&format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address));
        connection
    }
}

/// A connection with its request. **Dropping** it hangs up.
pub(crate) struct Connection(TcpStream);

impl Connection {
    fn to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("the server reads");
    }

    /// Everything that the server answers, head and body, until it closes the connection.
    pub(crate) fn answer(mut self) -> String {
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).expect("the server answers in time");
        answer
    }

    /// Whether nothing has been answered so far.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.set_nonblocking(true).expect("a socket can be set so");
        let silent = self.0.peek(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.0.set_nonblocking(false).expect("a socket can be set so");
        silent
    }
}
