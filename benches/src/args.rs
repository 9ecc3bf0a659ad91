//! The command line, and what it makes of the machine.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use lexopt::prelude::*;

use crate::place::{How, Place};
use crate::row::Row;

const HELP: &str = "\
Usage: cargo run --release -p benches -- [OPTIONS]

  --quick             few rounds, short turns: shows that everything works, measures little;
                      leaves out the rows that run the compiler
  --row NAME          only rows whose name begins so; may be given several times
  --against NAME      only peers whose name begins so (`none` for ours alone); may be given several times
  --again             in place of the peers, ours five times more: how far apart equal pools are
  --list              show the rows and what they stand for
  --rounds N          rounds per row (31; 5 with --quick)
  --threads N|auto    threads of every pool (auto: two per core)
  --workers N|auto    worker threads of the tokio runtime of the callers (2; auto: one per core)
  --producers LIST    numbers of producer threads, `1,2,4` (1,2,4,8,16; auto: powers of two up to twice the cores)
  --place HOW         `apart`: a runtime's workers on half of the cores, the pool's threads on the others; `mixed`: both on
                      all, thread by thread; leaves out all rows but `*/workers` and `work/*` (as the kernel likes)
  --out DIR           where results.json and results.svg go (benches/results; target/benches if not the whole table)";

/// What is to be measured, and where the report goes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) scale: Scale,
    pub(crate) list: bool,
    pub(crate) out: PathBuf,
    only: Vec<String>,
}

/// How large everything is.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// Threads of every pool.
    pub(crate) threads: usize,
    /// Threads of the callers' runtime, where it has several.
    pub(crate) workers: usize,
    pub(crate) producers: Vec<usize>,
    /// Where the threads of a runtime of several workers are, and the pool's beside it; `None`: where the kernel puts them.
    pub(crate) place: Option<Place>,
    /// Whether ours are in the place of the peers.
    pub(crate) again: bool,
    against: Vec<String>,
}

impl Scale {
    /// Whether this peer takes part.
    pub(crate) fn against(&self, peer: &str) -> bool {
        begins_as_one_of(peer, &self.against)
    }

    /// `full`, or a `part`-th of it in a quick run.
    pub(crate) fn shrink(&self, full: usize, part: usize) -> usize {
        if self.quick { full / part } else { full }
    }
}

impl Plan {
    pub(crate) fn wants(&self, row: &Row) -> bool {
        let left_out = row.compiles && self.scale.quick && self.only.is_empty() && !self.list;
        // Elsewhere the callers are on the main thread, or on threads of their own.
        let placed = row.id.ends_with("/workers") || row.id.starts_with("work/");
        !left_out && (placed || self.scale.place.is_none()) && begins_as_one_of(&row.id, &self.only)
    }
}

/// Whether `name` begins as one of `chosen` does; where nothing is chosen, all are.
fn begins_as_one_of(name: &str, chosen: &[String]) -> bool {
    chosen.is_empty() || chosen.iter().any(|chosen| name.starts_with(chosen.as_str()))
}

/// Reads the command line. `Err`: what is wrong with it.
pub(crate) fn parse() -> Result<Plan, String> {
    read().map_err(|error| format!("{error}\n\n{HELP}"))
}

fn read() -> Result<Plan, lexopt::Error> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (mut quick, mut list, mut again, mut rounds, mut out) = (false, false, false, None, None);
    let (mut only, mut against, mut place) = (Vec::new(), Vec::new(), None);
    let (mut threads, mut workers, mut producers) = (2 * cores, 2, vec![1, 2, 4, 8, 16]);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => quick = true,
            Long("list") => list = true,
            Long("row") => only.push(parser.value()?.string()?),
            Long("against") => against.push(parser.value()?.string()?),
            Long("again") => again = true,
            Long("rounds") => rounds = Some(count(&parser.value()?.string()?, 31)?),
            Long("threads") => threads = count(&parser.value()?.string()?, 2 * cores)?,
            Long("workers") => workers = count(&parser.value()?.string()?, cores)?,
            Long("producers") => producers = counts(&parser.value()?.string()?, cores)?,
            Long("place") => place = Some(place_of(&parser.value()?.string()?)?),
            Long("out") => out = Some(PathBuf::from(parser.value()?)),
            Long("help") => {
                println!("{HELP}");
                std::process::exit(0);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    // Only a whole table may take the place of the one that is kept in the repository.
    let whole = !quick && !again && only.is_empty() && against.is_empty() && place.is_none();
    let out = out.unwrap_or_else(|| PathBuf::from(if whole { "benches/results" } else { "target/benches" }));
    let rounds = rounds.unwrap_or(if quick { 5 } else { 31 });
    Ok(Plan { scale: Scale { quick, rounds, threads, workers, producers, place, again, against }, list, out, only })
}

fn place_of(text: &str) -> Result<Place, lexopt::Error> {
    let how = [How::Apart, How::Mixed].into_iter().find(|how| how.name() == text);
    let how = how.ok_or_else(|| format!("`{text}` is no place"))?;
    Place::new(how).map_err(|why| format!("`--place`: {why}").into())
}

fn count(text: &str, auto: usize) -> Result<usize, lexopt::Error> {
    if text == "auto" {
        return Ok(auto);
    }
    text.parse::<NonZero<usize>>().map(NonZero::get).map_err(|_| format!("`{text}` is no number of things").into())
}

fn counts(text: &str, cores: usize) -> Result<Vec<usize>, lexopt::Error> {
    if text == "auto" {
        return Ok(std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n <= 2 * cores).collect());
    }
    text.split(',').map(|n| count(n, 1)).collect()
}
