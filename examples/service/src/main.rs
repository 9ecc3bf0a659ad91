//! The service as a program: arguments, signals, exit codes.
//!
//! It exits with 0 after a stop that finished what there was, and with 1 if it could not start or had to give something up.

#![forbid(unsafe_code)]

mod arguments;

use std::io::{self, Write};
use std::process::ExitCode;

use service::Running;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let config = match arguments::parse() {
        Ok(Arguments::Serve(config)) => config,
        Ok(Arguments::Help) => {
            // The reader may have closed it, as `head` does.
            let _ = io::stdout().write_all(arguments::HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&format!("{error} (--help lists the options)")),
    };
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the async runtime: {error}")),
    };
    let exit = runtime.block_on(async {
        // Before it serves, so that there is no moment at which a signal would kill it.
        let mut stop = match Signals::new() {
            Ok(stop) => stop,
            Err(error) => return fail(&format!("cannot listen for signals: {error}")),
        };
        match service::serve(*config).await {
            Ok(service) => {
                println!("listening on http://{}", service.address());
                run(service, &mut stop).await
            }
            Err(error) => fail(&error),
        }
    });
    // With `--inline`, a thread of the runtime may be in the middle of a job that was given up.
    runtime.shutdown_background();
    exit
}

/// Serves until the first signal, and stops until the second.
async fn run(service: Running, stop: &mut Signals) -> ExitCode {
    stop.recv().await;
    eprintln!("stopping; a second signal gives up what runs");
    tokio::select! {
        stopped = service.stop() => match stopped {
            Ok(()) => ExitCode::SUCCESS,
            Err(gave_up) => fail(&format!("gave up: {gave_up}")),
        },
        () = stop.recv() => fail(&"gave up at the second signal"),
    }
}

fn fail(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("service: {why}");
    ExitCode::FAILURE
}

/// What asks the program to stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What asks the program to stop.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn recv(&mut self) {
        self.0.recv().await;
    }
}
