//! `#[tokio::test]` takes an `async fn`, so it stands below.

use offload_runtime::blocking;

#[blocking]
#[test]
fn it_works() {}

#[blocking]
#[core::prelude::v1::test]
fn it_works_as_well() {}

fn main() {}
