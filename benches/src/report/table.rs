//! The tables, at most 100 columns wide, as plain text that is also Markdown.

use std::fmt::Write;

use crate::rounds::Measured;
use crate::stats::geometric_mean;
use crate::targets::{COLUMNS, Judged, WORST, column, worst};

/// The means of the first table, its rows, and the second table.
pub(crate) fn tables(runs: &[Vec<Measured>]) -> String {
    let mut text = String::new();
    if let Some(row) = runs[0].iter().find(|row| row.first) {
        text.push_str(
            "Other over ours, geometric means over the rows; above 1, ours needs less. `again`: the control.\n\n",
        );
        text.push_str(&aligned(&means(runs, &row.names)));
        let below = worst(runs);
        let _ = writeln!(text, "\nRows below {WORST} of their best peer in every run: {}", below.len());
        for (id, peer, ratio) in below {
            let _ = writeln!(text, "  {id:<18} {ratio:.2} ({peer})");
        }
        text.push_str("\nTime per call, ours in us, others over ours:\n\n");
        text.push_str(&aligned(&rows(runs, true)));
    }
    if runs[0].iter().any(|row| !row.first) {
        text.push_str("\nEmpty jobs, memory, hang-ups, the attribute: ours in ns, B or a count, others over ours:\n\n");
        text.push_str(&aligned(&rows(runs, false)));
    }
    text.push('\n');
    text
}

fn means(runs: &[Vec<Measured>], names: &[&str]) -> Vec<Vec<String>> {
    let mut lines = vec![vec![String::new()]];
    lines[0].extend(COLUMNS.map(|(title, ..)| title.to_owned()));
    for name in &names[1..] {
        let mut line = vec![(*name).to_owned()];
        line.extend(COLUMNS.map(|(_, part, figure, _)| column(runs, name, part, figure).map_or(String::new(), short)));
        lines.push(line);
    }
    lines
}

/// A line for each row and, in the second table, for each figure.
fn rows(runs: &[Vec<Measured>], first: bool) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for (place, row) in runs[0].iter().enumerate().filter(|(_, row)| row.first == first) {
        // The attribute's row has contestants of its own.
        if names != row.names {
            names.clone_from(&row.names);
            let heads = names[1..].iter().map(|name| name.split('+').next().unwrap_or(name).to_owned());
            lines.push(["row".to_owned(), "ours".to_owned()].into_iter().chain(heads).collect());
        }
        // CPU per row is in the JSON only: the table has no room.
        for (figure, title) in row.figures.iter().enumerate().filter(|(_, title)| **title != "cpu") {
            let over = |value: &dyn Fn(&Measured) -> Option<f64>| {
                let values: Option<Vec<_>> = runs.iter().map(|rows| value(&rows[place])).collect();
                values.and_then(geometric_mean)
            };
            let ours = over(&|row| Some(row.values[figure][0].median)).unwrap_or(0.0);
            let id = if *title == "time" { row.id.clone() } else { format!("{} {title}", row.id) };
            let mut line = vec![id, short(if first { ours / 1e3 } else { ours })];
            line.extend(
                names[1..].iter().map(|name| over(&|row| row.ratio(figure, name)).map_or(String::new(), short)),
            );
            lines.push(line);
        }
    }
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for line in &mut lines {
        line.resize(columns, String::new());
    }
    lines
}

/// The targets missed, then those met.
pub(crate) fn verdicts(judged: &[Judged]) -> String {
    let mut text = String::new();
    for (met, title) in [(false, "Targets missed"), (true, "Targets met")] {
        let of_this: Vec<_> = judged.iter().filter(|judged| judged.met == met).collect();
        if !judged.is_empty() {
            let _ = writeln!(text, "{title}: {}", of_this.len());
        }
        for Judged { what, goal, reached, .. } in of_this {
            let _ = writeln!(text, "  {what:<40} {reached:.2} of {goal:.2}");
        }
    }
    text
}

/// Pads each column to its widest cell.
fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        at if at >= 99.5 => format!("{value:.0}"),
        at if at >= 9.95 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
