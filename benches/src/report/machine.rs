//! What the machine was like meanwhile: how far apart its cores were.

use std::fmt::Write;

use crate::rounds::Measured;
use crate::stats::Spread;

/// So many times the usual way is a long one.
const LONG: f64 = 2.0;

/// How long a cache line took from core to core, and in which rows that changed. Empty on a single core.
pub(crate) fn machine(rows: &[Measured]) -> String {
    let ways: Vec<_> = rows.iter().flat_map(|row| row.line_ways.iter().copied()).collect();
    if ways.is_empty() {
        return String::new();
    }
    let (count, usual) = (ways.len(), Spread::of(ways).low);
    let long = |row: &Measured| row.line_ways.iter().filter(|way| **way > LONG * usual).count();
    let mut text =
        format!("A cache line from core to core and back: at most {usual:.0} ns in a quarter of the rounds, ");
    let all: usize = rows.iter().map(long).sum();
    let _ = writeln!(text, "more than {LONG} times as long in {all} of {count}.");
    for row in rows.iter().filter(|row| long(row) > 0) {
        let _ = writeln!(text, "  {:<32} in {} of {}", row.id, long(row), row.line_ways.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, line_ways: &[f64]) -> Measured {
        Measured {
            id: id.to_owned(),
            stands_for: String::new(),
            rounds: line_ways.len(),
            names: Vec::new(),
            figures: Vec::new(),
            line_ways: line_ways.to_vec(),
        }
    }

    #[test]
    fn rows_in_which_the_cores_were_far_apart_are_named() {
        assert_eq!(machine(&[row("alone", &[])]), "", "there is no way on a single core");
        let text = machine(&[row("near", &[60.0, 60.0, 119.0, 64.0]), row("far", &[60.0, 130.0, 330.0, 120.0])]);
        let expected = "A cache line from core to core and back: at most 60 ns in a quarter of the rounds, \
            more than 2 times as long in 2 of 8.\n  far                              in 2 of 4\n";
        assert_eq!(text, expected);
    }
}
