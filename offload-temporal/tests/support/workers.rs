//! Workers: in this process, and in processes that can be killed.

use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use offload_runtime::Error;
use offload_temporal::{Temporal, Worker};
use pollster::block_on;
use rustix::process::Signal;
use tokio::sync::oneshot;

use super::server::{connect, signal_child};

/// A worker on a thread of this process. Dropped, it stops and is waited for.
pub(crate) struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

pub(crate) fn serve(temporal: &Temporal, max_concurrent: usize) -> Serving {
    serve_with(Worker::new(temporal).max_concurrent(max_concurrent))
}

pub(crate) fn serve_with(worker: Worker) -> Serving {
    let (stop, stopped) = oneshot::channel();
    let signal = async { drop(stopped.await) };
    let thread = std::thread::spawn(move || block_on(worker.run_until(signal)));
    Serving { stop: Some(stop), thread: Some(thread) }
}

impl Serving {
    /// Asks it to stop, and does not wait.
    pub(crate) fn ask(&mut self) {
        self.stop.take();
    }

    pub(crate) fn stop(mut self) -> Result<(), Error> {
        self.ask();
        self.thread.take().unwrap().join().unwrap()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.ask();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// This program as another process. Killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// A worker, which stops when its stdin ends, as it does when this process dies.
    pub(crate) fn worker(url: &str, task_queue: &str, max_concurrent: usize) -> Self {
        Self::start(&["worker", url, task_queue, &max_concurrent.to_string()])
    }

    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal_child(&self.0, signal);
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// What it has printed when it ends.
    pub(crate) fn output(mut self) -> String {
        let text = std::io::read_to_string(self.0.stdout.take().unwrap()).unwrap();
        assert!(self.0.wait().unwrap().success(), "{text}");
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `main` of a worker process: the arguments of [`Process::worker`].
pub(crate) fn main(arguments: &[String]) {
    let [url, task_queue, max_concurrent] = arguments else { panic!("URL QUEUE COUNT") };
    let temporal = connect(url).task_queue(task_queue);
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(stop);
    });
    let worker = Worker::new(&temporal).max_concurrent(max_concurrent.parse().unwrap());
    block_on(worker.run_until(async { drop(stopped.await) })).unwrap();
}
