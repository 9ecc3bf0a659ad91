//! The real jobs of the first table, on files in a temporary directory. The page cache holds them, so a disk is not measured.

use std::cell::RefCell;
use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

const PAGE: usize = 4096;
const PAGES: u64 = 1024;
const ROWS: u64 = 10_000;

/// What one call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Stat,
    Read,
    Sqlite,
    Cpu,
    Sleep,
}

/// What the jobs work on.
#[derive(Debug)]
struct Ground {
    directory: PathBuf,
    file: File,
    /// Steps of `mix` that take 20 us.
    steps: u64,
}

static GROUND: OnceLock<Ground> = OnceLock::new();

thread_local! {
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

impl Job {
    pub(crate) const ALL: [Self; 5] = [Self::Stat, Self::Read, Self::Sqlite, Self::Cpu, Self::Sleep];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Read => "read",
            Self::Sqlite => "sqlite",
            Self::Cpu => "cpu",
            Self::Sleep => "sleep",
        }
    }

    /// Does the work of call number `i`.
    pub(crate) fn run(self, i: u64) -> u64 {
        let ground = GROUND.get_or_init(Ground::new);
        match self {
            Self::Stat => fs::metadata(ground.directory.join("pages")).expect("the file is there").len(),
            Self::Read => {
                let mut page = [0; PAGE];
                ground.file.read_exact_at(&mut page, mix(i, 1) % PAGES * PAGE as u64).expect("the file has the page");
                u64::from(black_box(page)[0])
            }
            Self::Sqlite => CONNECTION.with_borrow_mut(|connection| {
                let connection = connection.get_or_insert_with(|| open(ground));
                let mut statement =
                    connection.prepare_cached("SELECT name FROM users WHERE id = ?").expect("valid SQL");
                let id = (mix(i, 1) % ROWS).cast_signed();
                let name: String = statement.query_row([id], |row| row.get(0)).expect("the row is there");
                name.len() as u64
            }),
            Self::Cpu => mix(i, ground.steps),
            Self::Sleep => {
                thread::sleep(Duration::from_millis(1));
                i
            }
        }
    }
}

impl Ground {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("offload-benches-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("the temporary directory is writable");
        fs::write(directory.join("pages"), vec![7; PAGE * 1024]).expect("there is room for 4 MiB");
        let file = File::open(directory.join("pages")).expect("it was just written");
        let mut ground = Self { directory, file, steps: 0 };
        let mut connection = open(&ground);
        let transaction = connection.transaction().expect("the database is ours");
        transaction.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)", []).expect("valid SQL");
        for id in 0..ROWS {
            let row = (id.cast_signed(), format!("user {id}"));
            transaction.execute("INSERT INTO users VALUES (?, ?)", row).expect("valid SQL");
        }
        transaction.commit().expect("there is room for the database");
        ground.steps = steps();
        ground
    }
}

fn open(ground: &Ground) -> Connection {
    Connection::open(ground.directory.join("users.db")).expect("the database can be opened")
}

/// How many steps take 20 us: the fastest of many spells, as an interrupted one says nothing.
fn steps() -> u64 {
    const SPELL: u64 = 20_000;
    let spell = |i| {
        let begun = Instant::now();
        black_box(mix(i, SPELL));
        begun.elapsed()
    };
    let nanoseconds = (0..200).map(spell).min().unwrap_or_default().as_nanos().max(1);
    u64::try_from(u128::from(SPELL) * 20_000 / nanoseconds).unwrap_or(SPELL)
}

/// A chain of multiplications, which the compiler cannot shorten.
fn mix(seed: u64, steps: u64) -> u64 {
    (0..steps).fold(seed, |x, _| black_box((x ^ (x >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1)))
}

/// Where the files are.
pub(crate) fn directory() -> &'static Path {
    &GROUND.get_or_init(Ground::new).directory
}

/// Removes the files.
pub(crate) fn clean_up() {
    if let Some(ground) = GROUND.get() {
        // What cannot be removed is left to the system, as all in the temporary directory.
        let _ = fs::remove_dir_all(&ground.directory);
    }
}
