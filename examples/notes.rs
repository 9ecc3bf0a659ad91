//! Notes in SQLite: each thread of a pool owns a connection. One thread writes, four read.
//!
//! `cargo run --example notes -- notes.db` serves at 127.0.0.1:3000: `POST /notes` takes a note, `GET /notes/1` returns it, `GET /notes.csv` all of them,
//! and `POST /notes.csv` takes many. With `-- try` it sends itself some requests, on a file of its own, shows the answers and ends.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as PathOf, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use offload_runtime::{Error, StatefulPool, blocking};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug)]
enum NoteError {
    NotFound,
    Csv(csv::Error),
    Sqlite(rusqlite::Error),
    /// The pool is full or closed, or a connection could not be opened.
    Refused(Error),
}

impl From<csv::Error> for NoteError {
    fn from(error: csv::Error) -> Self {
        Self::Csv(error)
    }
}

impl From<rusqlite::Error> for NoteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for NoteError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl IntoResponse for NoteError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "no such note".to_owned()),
            Self::Csv(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::Sqlite(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Self::Refused(error) => (StatusCode::SERVICE_UNAVAILABLE, error.into()),
        };
        (status, text).into_response()
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

    /// All of them or none.
    #[blocking(executor = writer)]
    fn import(&self, #[state] db: &mut Connection, table: Bytes) -> Result<usize, NoteError> {
        let transaction = db.transaction()?;
        let mut imported = 0;
        for row in csv::Reader::from_reader(&*table).deserialize() {
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

    #[blocking(executor = readers)]
    fn export(&self, #[state] db: &Connection) -> Result<Vec<u8>, NoteError> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let mut statement = db.prepare("SELECT id, text FROM note ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok(Row { id: row.get(0)?, text: row.get(1)? }))?;
        for row in rows {
            table.serialize(row?)?;
        }
        table.into_inner().map_err(|error| NoteError::Csv(error.into_error().into()))
    }
}

fn routes(notes: Notes) -> Router {
    let insert = |State(notes): State<Notes>, text| async move { notes.insert(text).await.map(|id| id.to_string()) };
    let find = |State(notes): State<Notes>, PathOf(id)| async move { notes.find(id).await };
    let export = |State(notes): State<Notes>| async move { notes.export().await };
    let import = |State(notes): State<Notes>, table| async move { notes.import(table).await.map(|n| n.to_string()) };
    Router::new()
        .route("/notes", post(insert))
        .route("/notes/{id}", get(find))
        .route("/notes.csv", get(export).post(import))
        .with_state(notes)
}

/// Sends a request, as `curl` would, and prints the answer's status line and body.
async fn ask(address: std::net::SocketAddr, what: &str, body: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!("{what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    println!("{what} -> {}: {}", head.lines().next().unwrap_or(""), body.trim_end().replace('\n', " | "));
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
    ask(address, "POST /notes", "milk, two bottles").await?;
    ask(address, "POST /notes.csv", "text\nbread\n\"eggs, brown\"\n").await?;
    ask(address, "POST /notes.csv", "text\ncheese\ntoo,many,columns\n").await?; // none of it is imported
    ask(address, "GET /notes/3", "").await?;
    ask(address, "GET /notes/4", "").await?;
    ask(address, "GET /notes.csv", "").await?;
    println!("{} connections", notes.writer.metrics().states_open() + notes.readers.metrics().states_open());
    server.abort();
    tokio::join!(notes.writer.shutdown(), notes.readers.shutdown());
    Ok(())
}
