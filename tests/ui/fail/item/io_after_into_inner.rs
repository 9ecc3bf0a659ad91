//! An `AsyncIo` that has given its file back cannot be used.

use offload_runtime::{ExecutorExt, Inline};

async fn twice() -> std::io::Result<()> {
    let mut io = Inline.io(std::io::empty());
    io.into_inner().await?;
    io.with(|_| Ok(())).await
}

fn main() {
    drop(twice());
}
