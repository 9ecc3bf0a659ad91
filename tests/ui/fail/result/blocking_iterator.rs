//! An iterator that blocks would do so on the event loop.

use offload_runtime::{ThreadPool, blocking};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn lines(&self, path: &str) -> io::Result<io::Lines<BufReader<File>>> {
        Ok(BufReader::new(File::open(path)?).lines())
    }

    #[blocking]
    fn numbers(&self, path: &str) -> io::Result<impl Iterator<Item = u32>> {
        Ok(BufReader::new(File::open(path)?).lines().map_while(|line| line.ok()?.parse().ok()))
    }
}

fn main() {}
