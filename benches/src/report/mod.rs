//! What was measured, as tables, as JSON, and as a chart.

mod json;
mod svg;
mod table;

use std::fs;
use std::io;

use crate::args::Plan;
use crate::rounds::Measured;
use crate::targets;

/// Prints the tables, and the verdicts if the plan was whole; writes the two files.
pub(crate) fn all(plan: &Plan, runs: &[Vec<Measured>]) -> io::Result<()> {
    let judged = if plan.whole() { targets::judge(runs) } else { Vec::new() };
    print!("{}", table::tables(runs));
    print!("{}", table::verdicts(&judged));
    fs::create_dir_all(&plan.out)?;
    let (data, chart) = (plan.out.join("results.json"), plan.out.join("results.svg"));
    fs::write(&data, json::document(plan, runs, &judged))?;
    fs::write(&chart, svg::chart(runs))?;
    println!("written: {}, {}", data.display(), chart.display());
    Ok(())
}
