//! The peers side by side: our pool beside what a user would pick instead, in one process, in one run.
//!
//! * `contestants.rs` the pools, behind one trait · `jobs.rs` the real jobs · `host.rs` where the callers run · `gate.rs` holds a pool's threads
//! * `row.rs` a row before it is measured · `rows/` the workloads, one file each · `rounds.rs` turns in a drawn order
//! * `stats.rs`, `meter.rs`, `memory.rs` what is measured · `targets.rs` what ours has to reach · `report/` tables, JSON, chart
//! * `count.rs` the same contestants for an instruction counter

mod args;
mod contestants;
mod count;
mod gate;
mod host;
mod jobs;
mod memory;
mod meter;
mod report;
mod rounds;
mod row;
mod rows;
mod stats;
mod targets;

use std::process::ExitCode;

pub use memory::Counting;

/// Measures and reports what the command line asks for.
#[must_use]
pub fn table() -> ExitCode {
    let plan = match args::parse() {
        Ok(plan) => plan,
        Err(message) => return refuse(&message),
    };
    if plan.list {
        println!("{}", rows::names().join("\n"));
        return ExitCode::SUCCESS;
    }
    let rows = rows::all(plan.quick, &plan.only);
    if rows.is_empty() {
        return refuse("no row has such a name; `--list` shows them all");
    }
    let runs: Vec<_> = (1..=plan.runs).map(|number| rounds::run(&rows, &plan, number)).collect();
    jobs::clean_up();
    match report::all(&plan, &runs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("the report was not written: {error}")),
    }
}

/// Runs one contestant through the stages of its jobs' life, for an instruction counter.
#[must_use]
pub fn count() -> ExitCode {
    match count::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => refuse(&message),
    }
}

fn refuse(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
