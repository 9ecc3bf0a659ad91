//! Thumbnails that are made on other machines: `-- serve` on those, `-- call FILE...` on any. `TEMPORAL_ADDRESS` is the server's address.
//!
//! The pictures are in storage that all machines share, as calls are limited to 2 MiB. On one machine, that is the disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use offload_runtime::{Error, blocking};
use offload_temporal::{Temporal, Worker};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
enum ThumbnailError {
    /// The picture is at fault.
    Picture(String),
    /// The worker, or the server.
    Call(String),
}

impl From<Error> for ThumbnailError {
    fn from(error: Error) -> Self {
        Self::Call(error.to_string())
    }
}

struct Thumbnails {
    jobs: Temporal,
}

impl Thumbnails {
    /// Writes a small copy beside the picture. An id for each version of a picture: what is made is not made again.
    #[blocking(remote, executor = self.jobs.id(format!("thumbnail {} {version}", picture.display())), name = "thumbnails.make")]
    fn make(&self, picture: &Path, version: u64) -> Result<PathBuf, ThumbnailError> {
        let fault = |error: image::ImageError| ThumbnailError::Picture(format!("{}: {error}", picture.display()));
        println!("version {version} of {}", picture.display());
        let target = picture.with_extension("thumbnail.png");
        image::open(picture).map_err(fault)?.thumbnail(160, 160).save(&target).map_err(fault)?;
        Ok(target)
    }
}

/// When the file was written, in seconds.
fn version(picture: &Path) -> std::io::Result<u64> {
    let age = std::fs::metadata(picture)?.modified()?.duration_since(std::time::UNIX_EPOCH);
    Ok(age.unwrap_or_default().as_secs())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::var("TEMPORAL_ADDRESS").unwrap_or_else(|_| "http://127.0.0.1:7233".into());
    // A killed worker is noticed after 5 seconds, and the next one makes the thumbnail.
    let jobs = Temporal::connect(address).await?.task_queue("thumbnails").heartbeat(Duration::from_secs(5)).attempts(3);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((what, [])) if what == "serve" => {
            println!("serving until Ctrl-C");
            let stop = async { tokio::signal::ctrl_c().await.expect("a handler for Ctrl-C can be set") };
            Worker::new(&jobs).run_until(stop).await?;
        }
        Some((what, files)) if what == "call" => {
            let thumbnails = Thumbnails { jobs };
            for file in files {
                let path = Path::new(file);
                match thumbnails.make(path, version(path)?).await {
                    Ok(thumbnail) => println!("{}", thumbnail.display()),
                    Err(error) => eprintln!("{error:?}"),
                }
            }
        }
        _ => eprintln!("usage: thumbnails serve | call FILE..."),
    }
    Ok(())
}
