//! `count CONTESTANT STAGE JOBS`: takes that many jobs as far as that stage and exits. See `ci/callgrind.sh`.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::count()
}
