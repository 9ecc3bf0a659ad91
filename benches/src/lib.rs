//! The peers side by side: our pool beside what a user would pick instead, in one process, in one run.
//!
//! `contestants/` who takes part, behind one trait · `workloads/` what they do, one file each · `host.rs` where the
//! callers run · `place.rs` on which cores · `row.rs` a line of the table before it is measured · `rounds.rs` turns,
//! rotated · `stats.rs` medians and spread · `meter.rs`, `memory.rs` what is measured · `report/` table, JSON, chart ·
//! `targets.rs` what ours has to reach · `count.rs` the same contestants for an instruction counter.
//!
//! Nothing here is compared across runs: every figure is a ratio of two that were taken milliseconds apart.

mod args;
mod contestants;
mod count;
mod host;
mod memory;
mod meter;
mod place;
mod report;
mod rounds;
mod row;
mod stats;
mod targets;
mod workloads;

use std::process::ExitCode;

pub use memory::Counting;

/// Measures and reports what the command line asks for.
#[must_use]
pub fn table() -> ExitCode {
    let plan = match args::parse() {
        Ok(plan) => plan,
        Err(message) => return refuse(&message),
    };
    let rows: Vec<_> = workloads::rows(&plan.scale).into_iter().filter(|row| plan.wants(row)).collect();
    if rows.is_empty() {
        return refuse("no row has that name; `--list` shows them all");
    }
    if plan.list {
        for row in &rows {
            println!("{:<24} {}", row.id, row.stands_for);
        }
        return ExitCode::SUCCESS;
    }
    let measured: Vec<_> = rows.iter().map(|row| rounds::measure(row, &plan.scale)).collect();
    match report::all(&plan, &measured) {
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
