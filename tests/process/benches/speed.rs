//! Round trips of `sum(&[u8])` to a child process: the floor (the same socket pair, without a pool), `ProcessPool`, and `procspawn`.
//!
//! `cargo bench -p tests-process --bench speed`. The order of turns is drawn anew each round; the floor is entered twice, as a control.
//! Times are medians of one call, and so many times the floor. The callers of 64 calls at a time have two workers.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use offload_runtime::blocking;
use offload_runtime::process::ProcessPool;
use pollster::block_on;
use serde_bytes::Bytes;

const ROUNDS: usize = 9;
const SIZES: [usize; 3] = [0, 1 << 10, 1 << 20];
const CALLERS: usize = 64;
/// So long at least is a turn.
const TURN: Duration = Duration::from_millis(40);

fn add_up(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

struct Adder {
    workers: ProcessPool,
}

impl Adder {
    /// Borrowed, as at the floor. (`Bytes` is a `[u8]` that serde takes as a whole.)
    #[blocking(remote, executor = workers, handle)]
    fn sum(&self, bytes: &Bytes) -> u64 {
        add_up(bytes)
    }
}

/// A child that reads a length and so many bytes, and writes their sum.
fn floor_child() -> ! {
    let mut socket = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3).unwrap());
    let (mut length, mut bytes) = ([0; 8], Vec::new());
    while socket.read_exact(&mut length).is_ok() {
        bytes.resize(usize::from_le_bytes(length), 0);
        socket.read_exact(&mut bytes).unwrap();
        socket.write_all(&add_up(&bytes).to_le_bytes()).unwrap();
    }
    std::process::exit(0)
}

fn floor() -> UnixStream {
    let (socket, child) = UnixStream::pair().unwrap();
    let own = std::env::current_exe().unwrap();
    #[expect(
        clippy::zombie_processes,
        reason = "it ends with this process, whose end of the socket pair it reads to the end"
    )]
    let _child = Command::new(own).arg("floor").stdin(Stdio::from(OwnedFd::from(child))).spawn().unwrap();
    socket
}

fn floor_call(mut socket: &UnixStream, bytes: &[u8]) -> u64 {
    let mut sum = [0; 8];
    socket.write_all(&bytes.len().to_le_bytes()).unwrap();
    socket.write_all(bytes).unwrap();
    socket.read_exact(&mut sum).unwrap();
    u64::from_le_bytes(sum)
}

/// The time of one call, over as many as fit into a turn.
fn per_call(mut call: impl FnMut()) -> Duration {
    let (began, mut calls) = (Instant::now(), 0);
    while began.elapsed() < TURN {
        call();
        calls += 1;
    }
    began.elapsed() / calls
}

/// `None`: it was not measured.
fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

fn main() {
    offload_runtime::process::init();
    procspawn::init();
    if std::env::args().nth(1).is_some_and(|argument| argument == "floor") {
        floor_child();
    }
    let socket = floor();
    let adder = Adder { workers: ProcessPool::new(2).unwrap() };
    let peer = procspawn::Pool::new(2).unwrap();
    for size in SIZES {
        let bytes = vec![1_u8; size];
        let expected = size as u64;
        let mut times = [const { Vec::new() }; 6];
        for _ in 0..ROUNDS {
            let mut turns: Vec<usize> = (0..times.len()).collect();
            fastrand::shuffle(&mut turns);
            for turn in turns {
                if size > 1 << 16 && (turn == 3 || turn == 5) {
                    // It blocks for ever in its own `send` here, so it has no row.
                    continue;
                }
                let time = match turn {
                    0 | 1 => per_call(|| assert_eq!(floor_call(&socket, &bytes), expected)),
                    2 => per_call(|| {
                        assert_eq!(block_on(adder.sum(Bytes::new(&bytes))).unwrap(), expected);
                    }),
                    3 => per_call(|| {
                        let call = procspawn::spawn!(in peer, (serde_bytes::ByteBuf::from(bytes.clone()) => bytes) || add_up(&bytes));
                        assert_eq!(call.join().unwrap(), expected);
                    }),
                    4 => {
                        per_call(|| {
                            let calls: Vec<_> = (0..CALLERS).map(|_| adder.sum(Bytes::new(&bytes))).collect();
                            for call in calls {
                                assert_eq!(block_on(call).unwrap(), expected);
                            }
                        }) / 64
                    }
                    _ => {
                        per_call(|| {
                            let calls: Vec<_> = (0..CALLERS)
                            .map(|_| procspawn::spawn!(in peer, (serde_bytes::ByteBuf::from(bytes.clone()) => bytes) || add_up(&bytes)))
                            .collect();
                            for call in calls {
                                assert_eq!(call.join().unwrap(), expected);
                            }
                        }) / 64
                    }
                };
                times[turn].push(time);
            }
        }
        let [floor, control, ours, theirs, ours_64, theirs_64] = times.map(median);
        let floor = floor.expect("it is always measured");
        let shown = |time: Option<Duration>| match time {
            Some(time) => format!("{time:.1?} ({:.2} floors)", time.as_secs_f64() / floor.as_secs_f64()),
            None => "cannot: it blocks for ever".to_owned(),
        };
        println!("{size:>8} bytes: floor {floor:.1?}, control {}", shown(control));
        println!("    1 at a time: ProcessPool {}, procspawn {}", shown(ours), shown(theirs));
        println!("   64 at a time: ProcessPool {}, procspawn {}", shown(ours_64), shown(theirs_64));
    }
    peer.kill();
}
