//! Notes in SQLite: each thread of a pool owns a connection. One thread writes, four read.
//!
//! `cargo run --example notes -- notes.db` serves at 127.0.0.1:3000: `POST /notes` takes a note, `GET /notes/1` returns it, `GET /notes.csv` all of them,
//! and `POST /notes.csv` takes many: both tables are streams of whatever length. With `-- try` it sends itself some requests, on a file of its own, shows the answers and ends.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Path as PathOf, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt as _;
use offload_runtime::{Error, StatefulPool, Yielder, blocking};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

#[derive(Debug, thiserror::Error)]
enum NoteError {
    #[error("no such note")]
    NotFound,
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The pool is full or closed, or a connection could not be opened.
    #[error(transparent)]
    Refused(#[from] Error),
}

impl IntoResponse for NoteError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Csv(_) => StatusCode::BAD_REQUEST,
            Self::Sqlite(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, self.to_string()).into_response()
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(default)]
    id: i64,
    text: String,
}

#[derive(Clone)]
struct Notes {
    writer: StatefulPool<Connection>,
    readers: StatefulPool<Connection>,
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update(None, "journal_mode", "WAL")?; // readers do not wait for the writer
    db.execute_batch("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")?;
    Ok(db)
}

impl Notes {
    fn open(path: &Path) -> Result<Self, Error> {
        let path: Arc<Path> = path.into();
        let of_writer = Arc::clone(&path);
        // SQLite has one writer at a time: writes wait in a queue, and not for a lock. A wrong path is found here, not by the first request.
        let writer = StatefulPool::builder().max_threads(1).queue_capacity(1_000).thread_name("writer");
        let readers = StatefulPool::builder().max_threads(4).queue_capacity(1_000).thread_name("reader");
        Ok(Self {
            writer: writer.open_now(move || connect(&of_writer))?,
            readers: readers.open(move || connect(&path)),
        })
    }

    #[blocking(executor = writer)]
    fn insert(&self, #[state] db: &mut Connection, text: String) -> Result<i64, NoteError> {
        db.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
        Ok(db.last_insert_rowid())
    }

    /// All of them or none. The rows are inserted while the table arrives.
    #[blocking(executor = writer)]
    fn import(&self, #[state] db: &mut Connection, table: Upload) -> Result<usize, NoteError> {
        let transaction = db.transaction()?;
        let mut imported = 0;
        for row in csv::Reader::from_reader(table).deserialize() {
            let Row { text, .. } = row?;
            imported += transaction.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
        }
        transaction.commit()?;
        Ok(imported)
    }

    #[blocking(executor = readers)]
    fn find(&self, #[state] db: &Connection, id: i64) -> Result<String, NoteError> {
        let text = db.query_row("SELECT text FROM note WHERE id = ?1", [id], |row| row.get(0)).optional()?;
        text.ok_or(NoteError::NotFound)
    }

    /// In pieces of 8 KiB, as the client takes them. A body that sends may borrow from the statement.
    #[blocking(stream, executor = readers)]
    fn export(&self, #[state] db: &Connection, #[out] pieces: &mut Yielder<Vec<u8>>) -> Result<(), NoteError> {
        let mut table = csv::Writer::from_writer(Pieces(pieces));
        let mut statement = db.prepare("SELECT id, text FROM note ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok(Row { id: row.get(0)?, text: row.get(1)? }))?;
        for row in rows {
            table.serialize(row?)?;
        }
        Ok(table.flush().map_err(csv::Error::from)?)
    }
}

/// Sends what is written. The buffer is that of the CSV writer.
struct Pieces<'a>(&'a mut Yielder<Vec<u8>>);

impl Write for Pieces<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.send(piece.to_vec())?; // an error once the client is gone: it ends the export
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of a request, read on a worker. Nothing of it is kept. One that breaks off is an error, and not an end.
struct Upload {
    chunks: BodyDataStream,
    rest: Bytes,
    runtime: Handle,
    /// A slow client has the writer for no longer.
    until: Instant,
}

impl Upload {
    fn new(body: Body) -> Self {
        let until = Instant::now() + Duration::from_secs(30);
        Self { chunks: body.into_data_stream(), rest: Bytes::new(), runtime: Handle::current(), until }
    }
}

impl Read for Upload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            let next = async { timeout_at(self.until, self.chunks.next()).await };
            match self.runtime.block_on(next)? {
                Some(chunk) => self.rest = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let read = self.rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&self.rest.split_to(read));
        Ok(read)
    }
}

fn routes(notes: Notes) -> Router {
    let insert = |State(notes): State<Notes>, text| async move { notes.insert(text).await.map(|id| id.to_string()) };
    let find = |State(notes): State<Notes>, PathOf(id)| async move { notes.find(id).await };
    let export = |State(notes): State<Notes>| async move { Body::from_stream(notes.export()) };
    let import =
        |State(notes): State<Notes>, body| async move { notes.import(Upload::new(body)).await.map(|n| n.to_string()) };
    Router::new()
        .route("/notes", post(insert))
        .route("/notes/{id}", get(find))
        .route("/notes.csv", get(export).post(import))
        .with_state(notes)
}

/// Sends a request, as `curl` would, of which `missing` bytes never come. Prints the answer's status line and body, or how long that is.
async fn show(address: SocketAddr, what: &str, body: &str, missing: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{what} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len() + missing);
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let body = if body.len() < 1_000 { body.trim_end().replace('\n', " | ") } else { format!("{} bytes", body.len()) };
    println!("{what} -> {}: {body}", head.lines().next().unwrap_or(""));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "notes.db".to_owned());
    if argument != "try" {
        let notes = Notes::open(argument.as_ref())?;
        println!("http://127.0.0.1:3000");
        let server = axum::serve(TcpListener::bind("127.0.0.1:3000").await?, routes(notes.clone()));
        server.with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) }).await?;
        tokio::join!(notes.writer.shutdown(), notes.readers.shutdown()); // closes the connections
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let notes = Notes::open(&folder.path().join("notes.db"))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, routes(notes.clone())).into_future());
    show(address, "POST /notes", "milk, two bottles", 0).await?;
    show(address, "POST /notes.csv", "text\nbread\n\"eggs, brown\"\n", 0).await?;
    show(address, "POST /notes.csv", "text\ncheese\ntoo,many,columns\n", 1_000).await?; // at once, and none of it is imported
    show(address, "GET /notes/3", "", 0).await?;
    show(address, "GET /notes/4", "", 0).await?;
    show(address, "GET /notes.csv", "", 0).await?;
    let many = "\na note like any other".repeat(10_000);
    show(address, "POST /notes.csv", &format!("text{many}"), 0).await?;
    show(address, "GET /notes.csv", "", 0).await?;
    println!("{} pieces", notes.readers.metrics().items());
    println!("{} connections", notes.writer.metrics().states_open() + notes.readers.metrics().states_open());
    server.abort();
    tokio::join!(notes.writer.shutdown(), notes.readers.shutdown());
    Ok(())
}
