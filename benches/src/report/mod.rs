//! What was measured, told three times: as a table, as JSON, as a chart.

mod json;
mod machine;
mod svg;
mod table;

use std::fs;
use std::io;

use crate::args::Plan;
use crate::contestants::{Contestant, Untimed};
use crate::rounds::Measured;
use crate::targets;

/// Prints the table and the verdicts, and writes the two files.
pub(crate) fn all(plan: &Plan, rows: &[Measured]) -> io::Result<()> {
    let judged: Vec<_> = rows.iter().flat_map(targets::judge).collect();
    println!("{}", table::table(rows));
    println!("{}", table::verdicts(&judged));
    print!("{}", machine::machine(rows));
    fs::create_dir_all(&plan.out)?;
    let (data, chart) = (plan.out.join("results.json"), plan.out.join("results.svg"));
    fs::write(&data, json::document(&plan.scale, rows, &judged))?;
    fs::write(&chart, svg::chart(rows))?;
    println!("written: {}, {}", data.display(), chart.display());
    Ok(())
}

/// Whether it is a mark of what the machine can do, and nothing to be picked.
pub(crate) fn is_floor(name: &str) -> bool {
    name.starts_with("floor")
}

/// Whether it can be picked instead of ours.
pub(crate) fn is_peer(name: &str) -> bool {
    !is_floor(name) && name != Untimed::NAME
}

/// Who is compared to ours in any row, in the order of their first appearance.
fn peers<'a>(rows: impl IntoIterator<Item = &'a Measured>) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in rows.into_iter().flat_map(|row| &row.names[1..]) {
        if !names.contains(name) {
            names.push(*name);
        }
    }
    names
}
