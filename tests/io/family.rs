//! The two families of traits behind one, so that each test runs with both.

use std::io::{self, Read, Seek, SeekFrom, Write};

use offload_runtime::AsyncIo;

pub(crate) trait Family {
    fn read<T: Read + Send + 'static>(
        io: &mut AsyncIo<T>,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Unpin;
    fn write<T: Write + Send + 'static>(
        io: &mut AsyncIo<T>,
        bytes: &[u8],
    ) -> impl Future<Output = io::Result<usize>> + Unpin;
    fn flush<T: Write + Send + 'static>(io: &mut AsyncIo<T>) -> impl Future<Output = io::Result<()>> + Unpin;
    fn close<T: Write + Send + 'static>(io: &mut AsyncIo<T>) -> impl Future<Output = io::Result<()>> + Unpin;
    fn seek<T: Seek + Send + 'static>(
        io: &mut AsyncIo<T>,
        to: SeekFrom,
    ) -> impl Future<Output = io::Result<u64>> + Unpin;
}

pub(crate) struct Tokio;
pub(crate) struct Futures;

macro_rules! family {
    ($name:ident, $($ext:ident)::+, $close:ident) => {
        impl Family for $name {
            fn read<T: Read + Send + 'static>(
                io: &mut AsyncIo<T>,
                into: &mut [u8],
            ) -> impl Future<Output = io::Result<usize>> + Unpin {
                use $($ext)::+::AsyncReadExt as _;
                Box::pin(async move { io.read(into).await })
            }

            fn write<T: Write + Send + 'static>(
                io: &mut AsyncIo<T>,
                bytes: &[u8],
            ) -> impl Future<Output = io::Result<usize>> + Unpin {
                use $($ext)::+::AsyncWriteExt as _;
                Box::pin(async move { io.write(bytes).await })
            }

            fn flush<T: Write + Send + 'static>(
                io: &mut AsyncIo<T>,
            ) -> impl Future<Output = io::Result<()>> + Unpin {
                use $($ext)::+::AsyncWriteExt as _;
                Box::pin(async move { io.flush().await })
            }

            fn close<T: Write + Send + 'static>(
                io: &mut AsyncIo<T>,
            ) -> impl Future<Output = io::Result<()>> + Unpin {
                use $($ext)::+::AsyncWriteExt as _;
                Box::pin(async move { io.$close().await })
            }

            fn seek<T: Seek + Send + 'static>(
                io: &mut AsyncIo<T>,
                to: SeekFrom,
            ) -> impl Future<Output = io::Result<u64>> + Unpin {
                use $($ext)::+::AsyncSeekExt as _;
                Box::pin(async move { io.seek(to).await })
            }
        }
    };
}

family!(Tokio, tokio::io, shutdown);
family!(Futures, futures::io, close);
