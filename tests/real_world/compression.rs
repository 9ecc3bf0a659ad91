//! `flate2`: a service behind an `Arc` that cannot be cloned; buffers, and streams in chunks.

use std::io::{self, Read, Write};
use std::sync::{Arc, mpsc};

use anyhow::ensure;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use offload_runtime::{Error, ThreadPool, blocking, check_cancelled};

use crate::support::{HANGS, closed, within};

struct Archive {
    executor: ThreadPool,
    level: Compression,
}

impl Archive {
    #[blocking]
    fn compress(self: &Arc<Self>, data: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), self.level);
        encoder.write_all(data)?;
        encoder.finish()
    }

    /// Refuses what would take more than `at_most` bytes.
    #[blocking]
    fn decompress(self: Arc<Self>, data: Vec<u8>, at_most: usize) -> anyhow::Result<Vec<u8>> {
        let mut plain = Vec::new();
        GzDecoder::new(&*data).take(at_most as u64 + 1).read_to_end(&mut plain)?;
        ensure!(plain.len() <= at_most, "more than {at_most} bytes from {}", data.len());
        Ok(plain)
    }

    /// Compresses in chunks of `CHUNK` bytes, until the end or until the caller has left. Gives `to` back.
    #[blocking]
    fn stream<const CHUNK: usize, W>(
        self: &Arc<Self>,
        mut from: impl Read + Send + 'static,
        to: W,
        mut progress: Box<dyn FnMut(usize) + Send>,
    ) -> io::Result<W>
    where
        W: Write + Send + 'static,
    {
        let mut encoder = GzEncoder::new(to, self.level);
        let mut chunk = [0; CHUNK];
        loop {
            check_cancelled();
            let length = match from.read(&mut chunk) {
                Ok(0) => return encoder.finish(),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            encoder.write_all(&chunk[..length])?;
            progress(length);
        }
    }
}

fn archive() -> Arc<Archive> {
    Arc::new(Archive { executor: ThreadPool::new(2), level: Compression::fast() })
}

/// Text that compresses, but not to nothing.
fn text() -> Vec<u8> {
    (0..10_000).flat_map(|i: u32| format!("line {}\n", i * i % 977).into_bytes()).collect()
}

#[tokio::test]
async fn what_was_compressed_decompresses() {
    let archive = archive();
    let compressed = archive.compress(&text()).await.unwrap();
    assert!(compressed.len() < text().len() / 2);
    let plain = Arc::clone(&archive).decompress(compressed.clone(), text().len()).await.unwrap();
    assert_eq!(plain, text());
    assert_eq!(Arc::strong_count(&archive), 1, "the method keeps no clone");

    let error = Arc::clone(&archive).decompress(compressed.clone(), 100).await.unwrap_err();
    assert_eq!(error.to_string(), format!("more than 100 bytes from {}", compressed.len()));
    let error = archive.decompress(b"no gzip at all".to_vec(), 100).await.unwrap_err();
    assert_eq!(error.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_stream_is_compressed_in_chunks() {
    let archive = archive();
    let (report, chunks) = mpsc::channel();
    let progress = Box::new(move |bytes| report.send(bytes).unwrap());
    let compressed = archive.stream::<4096, _>(io::Cursor::new(text()), Vec::new(), progress).await.unwrap();
    let chunks: Vec<usize> = chunks.iter().collect(); // ends, for the callback is gone with the job
    assert!(chunks.iter().all(|&bytes| bytes <= 4096));
    assert_eq!(chunks.iter().sum::<usize>(), text().len());
    assert_eq!(archive.decompress(compressed, text().len()).await.unwrap(), text());
}

/// A writer that tells, by being dropped, that the job has let go of it.
struct Told(#[expect(dead_code, reason = "held for its drop")] mpsc::Sender<()>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_endless_stream_ends_when_its_caller_leaves() {
    let archive = archive();
    let ((to, gone), (report, mut chunks)) = (mpsc::channel(), tokio::sync::mpsc::unbounded_channel());
    let endless = tokio::spawn({
        let archive = Arc::clone(&archive);
        let progress = Box::new(move |bytes| {
            let _ = report.send(bytes); // nobody hears those of later chunks
        });
        async move { archive.stream::<512, _>(io::repeat(b'a'), Told(to), progress).await.map(drop) }
    });
    assert_eq!(within(chunks.recv()).await, Some(512));
    endless.abort();
    assert!(endless.await.unwrap_err().is_cancelled());
    // Nothing is ever sent: this ends when the writer is dropped.
    assert_eq!(gone.recv_timeout(HANGS), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[tokio::test]
async fn a_refusal_is_inside_either_error() {
    let archive = Arc::new(Archive { executor: closed(), level: Compression::fast() });
    let error = archive.compress(b"data").await.unwrap_err();
    assert!(matches!(error.downcast::<Error>(), Ok(Error::ShutDown)));
    let error = archive.decompress(Vec::new(), 0).await.unwrap_err();
    assert!(matches!(error.downcast::<Error>(), Ok(Error::ShutDown)));
}
