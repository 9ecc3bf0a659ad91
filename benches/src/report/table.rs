//! The table, and below it the verdicts.

use std::fmt::Write;

use super::peers;
use crate::rounds::{Measured, MeasuredFigure};
use crate::row::{Compare, Unit};
use crate::stats::Spread;
use crate::targets::{Goal, Judged, Verdict, best_peer};

const HEAD: &str = "\
Each cell: how many times as much as ours, the median of the rounds' ratios (and its quartiles); above 1, ours needs less.
Cells with a unit are no ratios but the figures themselves. `ours` is for orientation: it is this machine at this moment.
";

pub(crate) fn table(rows: &[Measured]) -> String {
    let peers = peers(rows);
    let mut lines =
        vec![["row", "figure", "ours"].into_iter().chain(peers.iter().copied()).map(String::from).collect()];
    for row in rows {
        for figure in &row.figures {
            lines.push(line(row, figure, &peers));
        }
    }
    format!("{HEAD}\n{}", aligned(&lines))
}

fn line(row: &Measured, figure: &MeasuredFigure, peers: &[&str]) -> Vec<String> {
    let unit = figure.figure.unit;
    let best = best_peer(row, figure).map(|(name, _)| name);
    let cell = |peer: &&str| {
        let Some(place) = row.names.iter().position(|name| name == peer) else { return String::new() };
        match (figure.figure.compare, figure.ratios[place]) {
            (Compare::Ratio, Some(ratio)) if best == Some(*peer) => format!("*{}", spread(ratio)),
            (Compare::Ratio, Some(ratio)) => spread(ratio),
            _ => value(figure.values[place].median, unit),
        }
    };
    let first = [row.id.clone(), figure.figure.title.to_owned(), value(figure.values[0].median, unit)];
    first.into_iter().chain(peers.iter().map(cell)).collect()
}

/// A table that reads well as plain text and as Markdown.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
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

/// The goals and what was reached, the missed ones first.
pub(crate) fn verdicts(judged: &[Judged]) -> String {
    let mut text = String::new();
    for (verdict, title) in [
        (Verdict::Missed, "Targets missed"),
        (Verdict::InTheNoise, "Targets in the noise"),
        (Verdict::Met, "Targets met"),
    ] {
        let of_this: Vec<_> = judged.iter().filter(|judged| judged.verdict == verdict).collect();
        let _ = writeln!(text, "{title}: {}", of_this.len());
        for judged in of_this {
            let _ = writeln!(text, "  {:<32} {}", judged.figure, wording(judged));
        }
    }
    text
}

fn wording(judged: &Judged) -> String {
    let reached = spread(judged.reached);
    let wording = match judged.goal {
        Goal::BestPeer(least) => format!("{reached} of {least:.2} against the best peer, {}", judged.against),
        Goal::Peer(peer, least) => format!("{reached} of {least:.2} against {peer}"),
        Goal::AtMost(most) => format!("{reached}, to be at most {most:.2}"),
    };
    let floor = judged.floor.map(|floor| format!("; the floor would be at {}", short(floor)));
    wording + &floor.unwrap_or_default()
}

fn spread(spread: Spread) -> String {
    format!("{} ({}-{})", short(spread.median), short(spread.low), short(spread.high))
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        at if at >= 99.5 => format!("{value:.0}"),
        at if at >= 9.95 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(crate) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds if value >= 1e6 => format!("{} ms", short(value / 1e6)),
        Unit::Nanoseconds if value >= 1e3 => format!("{} us", short(value / 1e3)),
        Unit::Nanoseconds => format!("{} ns", short(value)),
        Unit::Bytes => format!("{} B", short(value)),
        Unit::Count => short(value),
    }
}
