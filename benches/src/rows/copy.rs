//! 256 MiB from one file to another: our `AsyncIo` beside tokio's file and `blocking::Unblock`. Nanoseconds per MiB.
//!
//! `copy/small` is `io::copy` of each family of traits, in pieces of 8 KiB. `copy/large` is `copy_buf`: from our own buffer of 1 MiB, and for the
//! others from a `BufReader` of 1 MiB. They keep their own limits: 2 MiB (tokio) and 8 MiB (`Unblock`). The destination is
//! overwritten in place, so no turn allocates its pages.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::sync::OnceLock;

use blocking::Unblock;
use futures_util::io as futures_io;
use offload_runtime::{ExecutorExt, ThreadPool};

use crate::contestants::{Again, Contestant, Offload};
use crate::host::{Host, Kind, THREADS};
use crate::jobs;
use crate::meter::Meter;
use crate::row::{Entry, Row};

const PIECE: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Small,
    Large,
}

/// Source and destination, of so many MiB.
fn files(mebibytes: usize) -> (File, File) {
    static PATHS: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    let (from, to) = PATHS.get_or_init(|| {
        let (from, to) = (jobs::directory().join("from"), jobs::directory().join("to"));
        let bytes: Vec<u8> = (0..=250).cycle().take(mebibytes << 20).collect();
        fs::write(&from, &bytes).expect("there is room for the source");
        fs::write(&to, &bytes).expect("there is room for the destination");
        (from, to)
    });
    let to = OpenOptions::new().write(true).open(to).expect("it was just written");
    (File::open(from).expect("it was just written"), to)
}

async fn ours(size: Size, from: File, to: File) -> u64 {
    let pool = ThreadPool::builder().max_threads(THREADS).build();
    let (from, mut to) = (pool.io(from), pool.io(to));
    let copied = match size {
        Size::Small => futures_io::copy(from, &mut to).await,
        Size::Large => futures_io::copy_buf(from, &mut to).await,
    };
    to.into_inner().await.expect("nothing fails");
    copied.expect("nothing fails")
}

async fn unblock(size: Size, from: File, to: File) -> u64 {
    let (from, mut to) = (Unblock::new(from), Unblock::new(to));
    let copied = match size {
        Size::Small => futures_io::copy(from, &mut to).await,
        Size::Large => futures_io::copy_buf(futures_io::BufReader::with_capacity(PIECE, from), &mut to).await,
    };
    to.into_inner().await;
    copied.expect("nothing fails")
}

async fn tokio_file(size: Size, from: File, to: File) -> u64 {
    use tokio::fs::File;
    use tokio::io::{BufReader, copy, copy_buf};

    let (mut from, mut to) = (File::from_std(from), File::from_std(to));
    let copied = match size {
        Size::Small => copy(&mut from, &mut to).await,
        Size::Large => copy_buf(&mut BufReader::with_capacity(PIECE, from), &mut to).await,
    };
    to.into_std().await;
    copied.expect("nothing fails")
}

fn entry<F>(name: &'static str, kind: Kind, size: Size, mebibytes: usize, copy: fn(Size, File, File) -> F) -> Entry
where
    F: Future<Output = u64> + Send + 'static,
{
    let turn = move || {
        let host = Host::new(kind);
        let (from, to) = files(mebibytes);
        let meter = Meter::start();
        let copied = host.run(copy(size, from, to));
        let values = meter.stop(mebibytes);
        assert_eq!(copied, (mebibytes as u64) << 20);
        values
    };
    Entry { name, turn: Box::new(turn) }
}

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let mebibytes = if quick { 16 } else { 256 };
    let row = |(size, name, kind): (Size, &str, Kind)| Row {
        id: format!("copy/{name}/{}", kind.name()),
        first: false,
        figures: &["time", "cpu"],
        entries: vec![
            entry(Offload::NAME, kind, size, mebibytes, ours),
            entry(Again::NAME, kind, size, mebibytes, ours),
            entry("tokio::fs", kind, size, mebibytes, tokio_file),
            entry("unblock", kind, size, mebibytes, unblock),
        ],
    };
    let rows = Kind::ALL.map(|kind| [(Size::Small, "small", kind), (Size::Large, "large", kind)]);
    rows.into_iter().flatten().map(row).collect()
}
