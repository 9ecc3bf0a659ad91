//! The command line.

use std::num::NonZero;
use std::path::PathBuf;

use lexopt::prelude::*;

const HELP: &str = "\
Usage: cargo run --release -p benches -- [OPTIONS]

  --runs N           whole runs (1); the verdicts of README.md are over 3
  --rounds N         turns of each contestant in each row of a run (15; 2 with --quick)
  --only TEXT,TEXT   only rows whose name contains one of these
  --peers NAME,NAME  only peers whose name begins so; `none`: ours and the control
  --quick            short turns, no verdicts: shows that everything works, measures little
  --list             the names of the rows
  --out DIR          where results.json and results.svg go (benches/results; target/benches for a part or a quick run)";

/// What is to be measured, and where the report goes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) list: bool,
    pub(crate) runs: usize,
    pub(crate) rounds: usize,
    pub(crate) only: Vec<String>,
    pub(crate) peers: Vec<String>,
    pub(crate) out: PathBuf,
}

impl Plan {
    /// Whether every row and peer takes part, in turns of full length: otherwise there is no verdict.
    pub(crate) fn whole(&self) -> bool {
        !self.quick && self.only.is_empty() && self.peers.is_empty()
    }

    pub(crate) fn against(&self, peer: &str) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|begin| peer.starts_with(begin.as_str()))
    }
}

/// Reads the command line. `Err`: what is wrong with it.
pub(crate) fn parse() -> Result<Plan, String> {
    read().map_err(|error| format!("{error}\n\n{HELP}"))
}

fn read() -> Result<Plan, lexopt::Error> {
    let (mut runs, mut rounds, mut out) = (1, None, None);
    let mut plan = Plan {
        quick: false,
        list: false,
        runs: 1,
        rounds: 15,
        only: Vec::new(),
        peers: Vec::new(),
        out: PathBuf::new(),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => plan.quick = true,
            Long("list") => plan.list = true,
            Long("only") => plan.only.extend(names(&parser.value()?.string()?)),
            Long("peers") => plan.peers.extend(names(&parser.value()?.string()?)),
            Long("runs") => runs = parser.value()?.parse::<NonZero<usize>>()?.get(),
            Long("rounds") => rounds = Some(parser.value()?.parse::<NonZero<usize>>()?.get()),
            Long("out") => out = Some(PathBuf::from(parser.value()?)),
            Long("help") => {
                println!("{HELP}");
                std::process::exit(0);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    plan.runs = runs;
    plan.rounds = rounds.unwrap_or(if plan.quick { 2 } else { 15 });
    // Only a whole table may replace the one in the repository.
    plan.out = out.unwrap_or_else(|| PathBuf::from(if plan.whole() { "benches/results" } else { "target/benches" }));
    Ok(plan)
}

fn names(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned)
}
