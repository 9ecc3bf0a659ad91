//! The program of the pools in these tests: a child that serves calls, and nothing else.

use tests_process::traces;

fn main() {
    // The panics here are made on purpose, and each call has the text of its own.
    std::panic::set_hook(Box::new(|_| {}));
    traces::write_events();
    offload_runtime::process::init();
    eprintln!("this is a program for workers");
    std::process::exit(1);
}
