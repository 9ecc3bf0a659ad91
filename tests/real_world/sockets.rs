//! `std::net`: a client of a line protocol that is shared behind an `Arc`, and looking for a server that answers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::iter;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use offload_runtime::{Error, ThreadPool, blocking, on_cancel};

use crate::support::{closed, within};

#[derive(Debug, thiserror::Error)]
enum ProtocolError {
    #[error("the connection failed")]
    Io(#[from] io::Error),
    #[error("the server hung up")]
    HungUp,
    #[error("the server answered `{0}`")]
    Answer(String),
    #[error("not asked")]
    NotAsked(#[from] Error),
}

struct Client {
    io: ThreadPool,
    /// To interrupt what `stream` is blocked on.
    socket: TcpStream,
    stream: Mutex<BufReader<TcpStream>>,
}

impl Client {
    #[blocking(executor = io.clone())]
    fn connect<A>(io: ThreadPool, address: A) -> io::Result<Arc<Self>>
    where
        A: ToSocketAddrs + Send + 'static,
    {
        let socket = TcpStream::connect(address)?;
        let stream = Mutex::new(BufReader::new(socket.try_clone()?));
        Ok(Arc::new(Self { io, socket, stream }))
    }

    /// Asks one question. A caller that gives up closes the connection.
    #[blocking(executor = io)]
    fn ask(self: &Arc<Self>, question: &str) -> Result<String, ProtocolError> {
        let _guard = on_cancel({
            let client = Arc::clone(self);
            move || drop(client.socket.shutdown(Shutdown::Both))
        });
        let mut stream = self.stream.lock().unwrap();
        writeln!(stream.get_mut(), "{question}")?;
        let mut answer = String::new();
        if stream.read_line(&mut answer)? == 0 {
            return Err(ProtocolError::HungUp);
        }
        let Some(answer) = answer.trim_end().strip_prefix("ok ") else {
            return Err(ProtocolError::Answer(answer.trim_end().to_owned()));
        };
        Ok(answer.to_owned())
    }

    /// Asks all of `questions`, until one is answered otherwise than wanted.
    #[blocking(executor = self.io)]
    fn expect(self: &Arc<Self>, questions: &[(String, String)]) -> Result<usize, ProtocolError> {
        let mut stream = self.stream.lock().unwrap();
        for (number, (question, wanted)) in questions.iter().enumerate() {
            writeln!(stream.get_mut(), "{question}")?;
            let Some(answer) = stream.by_ref().lines().next().transpose()? else {
                return Err(ProtocolError::HungUp);
            };
            if answer != *wanted {
                return Ok(number);
            }
        }
        Ok(questions.len())
    }
}

/// The first of `candidates` that accepts a connection.
#[blocking]
fn reachable(candidates: &[SocketAddr]) -> Option<SocketAddr> {
    candidates.iter().copied().find(|candidate| TcpStream::connect(candidate).is_ok())
}

/// Sends one datagram and returns what comes back.
#[blocking(executor = pool)]
fn echo<const N: usize>(pool: &ThreadPool, to: SocketAddr, message: [u8; N]) -> io::Result<([u8; N], SocketAddr)> {
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    socket.send_to(&message, to)?;
    let mut answer = [0; N];
    let (length, from) = socket.recv_from(&mut answer)?;
    if length < N { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok((answer, from)) }
}

/// Serves one connection: doubles numbers, and is silent when asked to be.
///
/// Passes on each line that it reads, and ends with the connection.
fn server() -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, lines) = tokio::sync::mpsc::unbounded_channel();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            let Ok(line) = line else { break };
            match line.parse::<u64>() {
                Ok(number) => writeln!(stream, "ok {}", 2 * number).unwrap(),
                Err(_) if line == "silence" => {}
                Err(error) => writeln!(stream, "{error}").unwrap(),
            }
            heard.send(line).unwrap();
        }
    });
    (address, lines, server)
}

#[tokio::test]
async fn a_client_gets_an_answer() {
    let (address, mut lines, server) = server();
    let client = Client::connect(ThreadPool::new(2), address).await.unwrap();
    assert_eq!(client.ask("21").await.unwrap(), "42");
    match client.ask("many").await {
        Err(ProtocolError::Answer(answer)) => assert_eq!(answer, "invalid digit found in string"),
        other => panic!("{other:?}"),
    }
    let questions = [("1", "ok 2"), ("2", "ok 4"), ("3", "ok 7"), ("4", "ok 8")].map(|(q, a)| (q.into(), a.into()));
    assert_eq!(client.expect(&questions[..2]).await.unwrap(), 2);
    assert_eq!(client.expect(&questions).await.unwrap(), 2);
    drop(client);
    server.join().unwrap();
    let asked: Vec<_> = iter::from_fn(|| lines.try_recv().ok()).collect();
    assert_eq!(asked, ["21", "many", "1", "2", "1", "2", "3"]);
}

#[tokio::test]
async fn many_share_one_client() {
    let (address, mut lines, server) = server();
    let client = Client::connect(ThreadPool::new(4), address).await.unwrap();
    let answers: Vec<_> = (0..20_u64)
        .map(|number| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { (number, client.ask(&number.to_string()).await.unwrap()) })
        })
        .collect();
    for answer in answers {
        let (number, answer) = answer.await.unwrap();
        assert_eq!(answer, (2 * number).to_string());
    }
    assert_eq!(Arc::strong_count(&client), 1, "no job keeps the client");
    drop(client);
    server.join().unwrap();
    assert_eq!(iter::from_fn(|| lines.try_recv().ok()).count(), 20);
}

#[tokio::test]
async fn giving_up_interrupts_the_read() {
    let (address, mut lines, server) = server();
    let client = Client::connect(ThreadPool::new(1), address).await.unwrap();
    let asking = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.ask("silence").await }
    });
    assert_eq!(within(lines.recv()).await.unwrap(), "silence");
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    assert_eq!(within(lines.recv()).await, None, "the connection has ended, though the client is there yet");
    server.join().unwrap();
    assert!(matches!(client.ask("1").await, Err(ProtocolError::HungUp | ProtocolError::Io(_))));
}

#[tokio::test]
async fn the_first_that_answers_is_found() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let open = listener.local_addr().unwrap();
    let connected = TcpStream::connect(open).unwrap();
    let deaf = connected.local_addr().unwrap(); // in use, so that nobody comes to listen there meanwhile
    assert_eq!(reachable(&[deaf, open]).await, Some(open));
    assert_eq!(reachable(&[deaf]).await, None);
    assert_eq!(reachable(&[]).await, None);

    let error = Client::connect(ThreadPool::new(1), deaf).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_datagram_comes_back() {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to(&buffer[..length], from).unwrap();
        done.send(length).unwrap();
    });
    let (answer, from) = echo(&ThreadPool::new(1), address, *b"hello").await.unwrap();
    assert_eq!((&answer, from), (b"hello", address));
    assert_eq!(wait.recv().unwrap(), 5);
}

#[tokio::test]
async fn a_refusal_is_typed_in_each_error() {
    let error = Client::connect(closed(), "127.0.0.1:9").await.err().unwrap();
    assert!(matches!(error.downcast::<Error>(), Ok(Error::ShutDown)));
    let (address, mut lines, server) = server();
    let client = Client::connect(ThreadPool::new(1), address).await.unwrap();
    client.io.close();
    assert!(matches!(client.ask("1").await, Err(ProtocolError::NotAsked(Error::ShutDown))));
    drop(client);
    server.join().unwrap();
    assert!(lines.try_recv().is_err());
}
