//! An executor per kind of work: many threads for what waits, as many as there are cores for what computes.
//!
//! `cargo run --example executors`

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use offload_runtime::{ThreadPool, blocking};

/// Finds the word that a text file uses most.
#[derive(Clone)]
struct Words {
    io: ThreadPool,
    cpu: ThreadPool,
}

impl Words {
    fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        Self {
            io: ThreadPool::builder().max_threads(32).thread_name("io").build(),
            cpu: ThreadPool::builder().max_threads(cores).thread_name("cpu").build(),
        }
    }

    /// Waits for a disk.
    #[blocking(executor = io)]
    fn read(&self, path: &Path) -> io::Result<String> {
        println!("read: on {}", thread_name());
        fs::read_to_string(path)
    }

    /// Keeps a core busy.
    #[blocking(executor = cpu)]
    fn most_frequent(&self, text: String) -> Option<(String, usize)> {
        println!("most_frequent: on {}", thread_name());
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3) {
            *counts.entry(word).or_default() += 1;
        }
        let (word, count) = counts.into_iter().max_by_key(|&(word, count)| (count, word))?;
        Some((word.to_owned(), count))
    }
}

/// A function without `self` runs on the default executor.
#[blocking]
fn current_directory() -> io::Result<String> {
    println!("current_directory: on {}", thread_name());
    Ok(std::env::current_dir()?.display().to_string())
}

fn thread_name() -> String {
    thread::current().name().unwrap_or("a thread without a name").to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let words = Words::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("executors.rs");
    let text = words.read(&source).await?;
    let (word, count) = words.most_frequent(text).await.expect("this file has words");
    println!("this program says `{word}` {count} times");
    println!("it runs in {}", current_directory().await?);
    Ok(())
}
