//! Contestants take turns in short rounds, and every round begins with another of them.
//!
//! A machine that other things run on is faster and slower by turns. Within one round all contestants meet about the same machine, so
//! what is kept of a round is the ratio of each to ours; and as the order rotates, and runs backwards every other
//! time, nobody always follows the same neighbour.

use std::io::{IsTerminal, stderr};
use std::num::NonZero;
use std::thread::available_parallelism;

use crate::args::Scale;
use crate::contestants::{Spin, hand_over};
use crate::meter::{Clock, per};
use crate::row::{Compare, Entry, Figure, Row};
use crate::stats::Spread;

/// A row with what was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) id: String,
    pub(crate) stands_for: String,
    pub(crate) rounds: usize,
    /// Ours first.
    pub(crate) names: Vec<&'static str>,
    pub(crate) figures: Vec<MeasuredFigure>,
    /// What a cache line took from one core to another and back, before each round, in nanoseconds. Empty on a single core.
    pub(crate) line_ways: Vec<f64>,
}

#[derive(Debug)]
pub(crate) struct MeasuredFigure {
    pub(crate) figure: Figure,
    /// Of each contestant, as measured.
    pub(crate) values: Vec<Spread>,
    /// Of each contestant, its value over ours in the same round; `None` if ours was zero in some round, or if the figure
    /// is not one to be compared by its ratio.
    pub(crate) ratios: Vec<Option<Spread>>,
}

/// Measures `row`: at least `scale.rounds` rounds, after one that is thrown away.
pub(crate) fn measure(row: &Row, scale: &Scale) -> Measured {
    let mut field = row.field(scale);
    let mut place = 0;
    field.retain(|entry| {
        place += 1;
        place == 1 || scale.against(entry.name)
    });
    let rounds = if row.few_rounds { scale.rounds.min(5) } else { scale.rounds };
    let names: Vec<_> = field.iter().map(|entry| entry.name).collect();
    let mut values = vec![vec![Vec::with_capacity(rounds); names.len()]; row.figures.len()];
    play(&mut field, 0);
    let mut line_ways = Vec::with_capacity(rounds);
    for round in 0..rounds {
        progress(&format!("{} {}/{rounds}", row.id, round + 1));
        line_ways.extend(line_way());
        for (contestant, turn) in play(&mut field, round) {
            assert_eq!(turn.len(), row.figures.len(), "`{}`: a turn gives a value for each figure", row.id);
            for (figure, value) in turn.into_iter().enumerate() {
                values[figure][contestant].push(value);
            }
        }
    }
    progress("");
    let figures = row.figures.iter().zip(&values).map(|(figure, values)| summarise(figure, values)).collect();
    Measured { id: row.id.clone(), stands_for: row.stands_for.clone(), rounds, names, figures, line_ways }
}

/// In place of what was shown before; nothing where nobody watches.
fn progress(what: &str) {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    }
}

/// What a cache line takes from one core to another and back. On a virtual machine that changes as its cores are moved about, by a factor of
/// five (65 and 330 nanoseconds, for seconds each, on an AMD Zen 4), and what hands jobs over then takes up to three times as long; the speed
/// of a core does not show it.
///
/// The median: two threads that share a core for a moment need a time slice for one way.
fn line_way() -> Option<f64> {
    const WAYS: usize = 1_000;
    // On a single core, each way would take a time slice.
    let cores = available_parallelism().map_or(1, NonZero::get);
    (cores > 1).then(|| {
        let clock = Clock::measure();
        let mut ways = Vec::with_capacity(WAYS);
        hand_over::<Spin>(WAYS, None, |way| ways.push(per(way, 1) - clock.look));
        Spread::of(ways).median
    })
}

/// One round: a turn of everybody, with the contestant's place in the field.
fn play(field: &mut [Entry], round: usize) -> Vec<(usize, Vec<f64>)> {
    order(field.len(), round).map(|contestant| (contestant, (field[contestant].turn)())).collect()
}

/// Who comes when: forwards and then backwards, and every two rounds another begins.
fn order(contestants: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..contestants).map(move |place| {
        let place = if round.is_multiple_of(2) { place } else { contestants - 1 - place };
        (place + round / 2) % contestants
    })
}

fn summarise(figure: &Figure, values: &[Vec<f64>]) -> MeasuredFigure {
    let ours = &values[0];
    let comparable = figure.compare == Compare::Ratio && ours.iter().all(|value| *value > 0.0);
    let ratio = |theirs: &Vec<f64>| {
        comparable.then(|| Spread::of(theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect()))
    };
    MeasuredFigure {
        figure: figure.clone(),
        values: values.iter().map(|values| Spread::of(values.clone())).collect(),
        ratios: values.iter().map(ratio).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_is_a_turn_of_everybody() {
        for round in 0..12 {
            let mut turns: Vec<_> = order(6, round).collect();
            turns.sort_unstable();
            assert_eq!(turns, [0, 1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn everybody_begins_and_nobody_has_one_neighbour_for_good() {
        let mut begun = [0; 6];
        let mut before_last = std::collections::BTreeSet::new();
        for round in 0..12 {
            let turns: Vec<_> = order(6, round).collect();
            begun[turns[0]] += 1;
            before_last.extend(turns.windows(2).filter(|pair| pair[1] == 5).map(|pair| pair[0]));
        }
        assert_eq!(begun, [2; 6]);
        assert_eq!(before_last.len(), 2, "the last contestant follows one neighbour forwards, the other backwards");
    }

    #[test]
    fn a_ratio_is_of_two_values_of_one_round() {
        let figure = Figure::ratio("time", "time", crate::row::Unit::Nanoseconds);
        // The machine is ten times slower in the second round: the ratio does not know.
        let measured = summarise(&figure, &[vec![1.0, 10.0, 2.0], vec![3.0, 30.0, 6.0]]);
        let theirs = measured.ratios[1].as_ref().unwrap();
        assert!((theirs.median - 3.0).abs() < 1e-9 && (theirs.high - theirs.low).abs() < 1e-9);
        let with_zero = summarise(&figure, &[vec![0.0], vec![3.0]]);
        assert!(with_zero.ratios[1].is_none());
    }
}
