//! Notes in SQLite: each thread of a pool owns a connection. One thread writes, four read.
//!
//! `cargo run --example notes -- notes.db` serves at 127.0.0.1:3000, until Ctrl-C. Both tables are streams of whatever length:
//!
//! ```sh
//! curl 127.0.0.1:3000/notes -d 'milk, two bottles'     # its number
//! curl 127.0.0.1:3000/notes/1
//! curl 127.0.0.1:3000/notes.csv >notes.csv             # all of them
//! curl 127.0.0.1:3000/notes.csv --data-binary @notes.csv
//! ```

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as PathOf, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{TryStreamExt as _, stream::try_unfold};
use offload_runtime::{Error, StatefulPool, Yielder, blocking};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};
use tokio_util::io::{StreamReader, SyncIoBridge};

#[derive(Debug, thiserror::Error)]
enum NoteError {
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
            Self::Sqlite(rusqlite::Error::QueryReturnedNoRows) => StatusCode::NOT_FOUND,
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
        let path = path.to_owned();
        let connect = move || connect(&path);
        // SQLite has one writer at a time: writes wait in a queue, and not for a lock. A wrong path is found here, not by the first request.
        let writer = StatefulPool::builder().max_threads(1).queue_capacity(1_000).thread_name("writer");
        let readers = StatefulPool::builder().max_threads(4).queue_capacity(1_000).thread_name("reader");
        Ok(Self { writer: writer.open_now(connect.clone())?, readers: readers.open(connect) })
    }

    #[blocking(executor = writer)]
    fn insert(&self, #[state] db: &mut Connection, text: String) -> Result<i64, NoteError> {
        db.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
        Ok(db.last_insert_rowid())
    }

    /// All of them or none. The rows are inserted while the table arrives.
    #[blocking(executor = writer)]
    fn import(&self, #[state] db: &mut Connection, table: impl Read + Send + 'static) -> Result<usize, NoteError> {
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
        Ok(db.query_row("SELECT text FROM note WHERE id = ?1", [id], |row| row.get(0))?)
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

/// The body of a request, as a worker reads it. One that breaks off, or takes longer than 30 seconds, is an error and not an end.
fn reader(body: Body) -> impl Read + Send + 'static {
    let until = Instant::now() + Duration::from_secs(30); // a slow client has the writer for no longer
    let chunks = try_unfold(body.into_data_stream(), move |mut body| async move {
        let chunk = timeout_at(until, body.try_next()).await?.map_err(io::Error::other)?;
        io::Result::Ok(chunk.map(|chunk| (chunk, body)))
    });
    SyncIoBridge::new(StreamReader::new(Box::pin(chunks)))
}

fn routes(notes: Notes) -> Router {
    let insert = |State(notes): State<Notes>, text| async move { notes.insert(text).await.map(|id| id.to_string()) };
    let find = |State(notes): State<Notes>, PathOf(id)| async move { notes.find(id).await };
    let export = |State(notes): State<Notes>| async move { Body::from_stream(notes.export()) };
    let import =
        |State(notes): State<Notes>, body| async move { notes.import(reader(body)).await.map(|n| n.to_string()) };
    Router::new()
        .route("/notes", post(insert))
        .route("/notes/{id}", get(find))
        .route("/notes.csv", get(export).post(import))
        .with_state(notes)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |n| std::env::args().nth(n);
    let notes = Notes::open(argument(1).as_deref().unwrap_or("notes.db").as_ref())?;
    let listener = TcpListener::bind(argument(2).as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("http://{}", listener.local_addr()?);
    let server = axum::serve(listener, routes(notes.clone()));
    server.with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) }).await?;
    println!("{}", notes.readers.metrics());
    tokio::join!(notes.writer.shutdown(), notes.readers.shutdown()); // closes the connections
    Ok(())
}
