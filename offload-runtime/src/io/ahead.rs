//! The bytes that were read and not consumed yet, and how many to read next.

use std::io;

/// The least that one job reads. A reader that is read to its end gets twice as much with each job.
const SMALLEST: usize = 8 * 1024;

#[derive(Debug, Default)]
pub(super) struct Ahead {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// How much the next job reads, at least.
    size: usize,
    /// What the last job ended with, where that was the end of the input or an error, until it is reported.
    ended: Option<io::Result<()>>,
}

impl Ahead {
    /// What was read and not consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn consume(&mut self, n: usize) {
        assert!(n <= self.end - self.start, "`consume` of {n} bytes, of which {} are there", self.end - self.start);
        self.start += n;
    }

    /// Forgets what was read.
    pub(super) fn clear(&mut self) {
        (self.start, self.end, self.size, self.ended) = (0, 0, 0, None);
    }

    /// The end of the input, or the error, that is to be reported once everything before it has been consumed.
    pub(super) fn take_end(&mut self) -> Option<io::Result<()>> {
        self.ended.take()
    }

    /// A buffer for a job to read into, for a caller that wants so many bytes.
    pub(super) fn next(&mut self, wanted: usize, capacity: usize) -> Vec<u8> {
        let size = wanted.max(self.size).max(SMALLEST).min(capacity);
        let mut bytes = std::mem::take(&mut self.bytes);
        (self.start, self.end) = (0, 0);
        bytes.resize(size, 0);
        bytes
    }

    /// A job has read into a buffer of `next`.
    pub(super) fn fill(&mut self, bytes: Vec<u8>, result: io::Result<usize>) {
        match result {
            Ok(0) => self.ended = Some(Ok(())),
            Ok(n) => {
                self.end = n;
                if n == bytes.len() {
                    self.size = n.saturating_mul(2);
                }
            }
            Err(error) => self.ended = Some(Err(error)),
        }
        self.bytes = bytes;
    }
}
