//! A program with two remote functions of one name.

use offload_runtime::__private::remote::{Failure, Function, Registration, Unpacker, inventory};

#[expect(clippy::unnecessary_wraps, reason = "the signature of all of them")]
fn run(_: &mut Unpacker<'_>) -> Result<Vec<u8>, Failure> {
    Ok(Vec::new())
}

static FIRST: Function = Function::new("app", "pictures.scale", true, || "fn()", run);
static SECOND: Function = Function::new("app::other", "pictures.scale", true, || "fn()", run);
inventory::submit! { Registration(&FIRST) }
inventory::submit! { Registration(&SECOND) }

fn main() {
    offload_runtime::process::init();
}
