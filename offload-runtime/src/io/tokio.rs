//! tokio's traits.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

use super::AsyncIo;

impl<T: Read + Send + 'static> AsyncRead for AsyncIo<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if into.remaining() > 0 {
            let unread = ready!(this.poll_fill(cx, into.remaining()))?;
            let n = unread.len().min(into.remaining());
            into.put_slice(&unread[..n]);
            this.ahead.consume(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Read + Send + 'static> AsyncBufRead for AsyncIo<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll_fill(cx, 0)
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().ahead.consume(n);
    }
}

impl<T: Write + Send + 'static> AsyncWrite for AsyncIo<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_flush(cx)
    }
}

impl<T: Seek + Send + 'static> AsyncSeek for AsyncIo<T> {
    fn start_seek(self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let this = self.get_mut();
        // The same answer as of tokio's own file.
        if this.job.is_some() {
            return Err(io::Error::other("another operation is pending: call `poll_complete` before `start_seek`"));
        }
        this.start_seek(to)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let this = self.get_mut();
        ready!(this.poll_idle(cx))?;
        Poll::Ready(Ok(this.position))
    }
}
