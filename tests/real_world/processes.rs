//! `std::process`: commands that are awaited, followed by their handles, and killed when their callers leave.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Context;
use offload_runtime::{Error, JobHandle, ThreadPool, blocking, on_cancel};

use crate::support::{Scratch, closed, within};

#[derive(Debug, thiserror::Error)]
enum ToolError {
    #[error("`{program}` could not be run")]
    Start { program: String, source: io::Error },
    #[error("{status}: {message}")]
    Failed { status: ExitStatus, message: String },
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no room for another process")]
    Refused(#[from] Error),
}

#[derive(Clone)]
struct Tools {
    io: ThreadPool,
    variables: Arc<[(&'static str, String)]>,
}

impl Tools {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a program to its end.
    #[blocking(executor = io)]
    fn status(&self, program: &OsStr, arguments: &[&'static str]) -> io::Result<ExitStatus> {
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()
    }

    /// Feeds `input` to a program and returns what it prints. Cancelled, it kills the program.
    #[blocking(executor = io, handle)]
    fn filter(&self, program: &str, arguments: Vec<String>, input: &[u8]) -> Result<Vec<u8>, ToolError> {
        let mut child = self
            .command(program)
            .args(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ToolError::Start { program: program.to_owned(), source })?;
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three are piped")
        };

        let child = Arc::new(Mutex::new(child));
        let _guard = on_cancel({
            let child = Arc::clone(&child);
            // The lock is taken to wait for the end only, when there is nothing left to kill.
            move || drop(child.try_lock().map(|mut child| child.kill()))
        });
        let (mut output, mut message) = (Vec::new(), String::new());
        thread::scope(|scope| {
            let writer = scope.spawn(move || match stdin.write_all(input) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()), // it has read enough
                written => written,
            });
            let complaints = scope.spawn(|| stderr.read_to_string(&mut message));
            stdout.read_to_end(&mut output)?;
            complaints.join().unwrap()?;
            writer.join().unwrap()
        })?;
        let status = child.lock().unwrap().wait()?;
        if !status.success() {
            return Err(ToolError::Failed { status, message });
        }
        Ok(output)
    }
}

/// The first line that a program prints.
#[blocking]
fn first_line(
    program: &'static str,
    arguments: impl IntoIterator<Item = String> + Send + 'static,
) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("no `{program}`"))?;
    let text = String::from_utf8(output.stdout)?;
    text.lines().next().map(str::to_owned).context("it printed nothing")
}

fn tools() -> Tools {
    Tools { io: ThreadPool::new(2), variables: [("GREETING", String::from("good morning"))].into() }
}

fn script(text: &str) -> Vec<String> {
    vec!["-c".into(), text.into()]
}

#[tokio::test]
async fn a_program_is_run_to_its_end() {
    let tools = tools();
    assert!(tools.status("true".as_ref(), &[]).await.unwrap().success());
    assert_eq!(tools.status("sh".as_ref(), &["-c", "exit 3"]).await.unwrap().code(), Some(3));
    let error = tools.status("no-such-program".as_ref(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn a_handle_gives_the_output() {
    let tools = tools();
    let input = b"more than a pipe holds, so that both sides must be served at once\n".repeat(4_000);
    assert_eq!(tools.filter("cat", Vec::new(), &input).await.unwrap().unwrap(), input);
    let greeting = tools.filter("sh", script("echo $GREETING"), &[]);
    // A handle borrows nothing, so it is spawned as it is.
    assert_eq!(tokio::spawn(greeting).await.unwrap().unwrap().unwrap(), b"good morning\n");
}

#[tokio::test]
async fn a_handle_gives_the_error_of_the_body() {
    let tools = tools();
    match tools.filter("sh", script("echo too bad >&2; exit 9"), b"ignored").await.unwrap() {
        Err(ToolError::Failed { status, message }) => {
            assert_eq!((status.code(), &*message), (Some(9), "too bad\n"));
        }
        other => panic!("{other:?}"),
    }
    let missing = tools.filter("no-such-program", Vec::new(), &[]).await.unwrap();
    assert!(matches!(missing, Err(ToolError::Start { program, .. }) if program == "no-such-program"));
}

#[tokio::test]
async fn a_cancelled_job_kills_its_program() {
    let tools = tools();
    let scratch = Scratch::new("cancelled");
    let fifo = scratch.path().join("fifo");
    let made = first_line("sh", script(&format!("mkfifo '{}' && echo made", fifo.display()))).await;
    assert_eq!(made.unwrap(), "made");
    // Writes into the fifo, so that this test knows it runs, and would never end.
    let endless = script(&format!("echo $$ > '{}'; exec tail -f /dev/null", fifo.display()));
    let handle: JobHandle<_> = tools.filter("sh", endless, &[]);
    let pid = within(first_line("cat", [fifo.display().to_string()])).await.unwrap();
    handle.cancel();
    match within(handle).await.unwrap() {
        Err(ToolError::Failed { status, .. }) => assert_eq!(status.code(), None, "{pid} was killed"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn anyhow_says_what_was_tried() {
    assert_eq!(first_line("echo", [String::from("one\ntwo")]).await.unwrap(), "one");
    assert_eq!(first_line("true", []).await.unwrap_err().to_string(), "it printed nothing");
    let error = first_line("no-such-program", []).await.unwrap_err();
    assert_eq!(error.to_string(), "no `no-such-program`");
}

#[tokio::test]
async fn a_refusal_is_the_handle_s_to_tell() {
    let tools = Tools { io: closed(), ..tools() };
    assert!(matches!(tools.filter("cat", Vec::new(), &[]).await, Err(Error::ShutDown)));
    let error = tools.status("true".as_ref(), &[]).await.unwrap_err();
    assert!(matches!(error.downcast::<Error>(), Ok(Error::ShutDown)));
}
