//! This test binary, started again: one test of it, in a process of its own, which may be short of memory and may end at any time.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tests::support::PATIENCE;

/// Names the scene that the process is to play. Unset: this is the process that `cargo test` started.
const SCENE: &str = "OFFLOAD_TEST_SCENE";

/// Whether this process was started to play `scene`.
pub(crate) fn plays(scene: &str) -> bool {
    std::env::var(SCENE).is_ok_and(|playing| playing == scene)
}

/// Whether this process was started to play any.
pub(crate) fn is_child() -> bool {
    std::env::var_os(SCENE).is_some()
}

/// Runs the test `name` of this binary in a process that plays `scene`, and waits for its end.
///
/// With `address_space`, in KiB, the process can have no more of it. What it may take from the system is then so little that one
/// thread with a large stack is all there is room for.
pub(crate) fn play(name: &str, scene: &str, address_space: Option<u32>) -> Output {
    let this = std::env::current_exe().expect("a test binary knows its path");
    let mut command = match address_space {
        None => Command::new(this),
        Some(kib) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit -v {kib} && exec \"$0\" \"$@\"")]).arg(this);
            shell
        }
    };
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(SCENE, scene);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    finish(child)
}

fn finish(mut child: Child) -> Output {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("it is our child").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("it is our child");
            let output = child.wait_with_output().expect("it was killed");
            panic!("the process does not end: {}", text_of(&output));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().expect("it has ended")
}

pub(crate) fn text_of(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{}\n{out}\n{error}", output.status)
}
