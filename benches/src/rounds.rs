//! Rounds: each contestant has one turn in each row, in an order drawn anew for each row of each round.
//!
//! In a fixed rotation the same pool, entered twice, came out at 0.93. A row's contestants take their turns one after the other, so they meet
//! about the same machine; its rounds are spread over the whole run, so a slow minute does not fall on one row.

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Plan;
use crate::contestants::{Again, Contestant};
use crate::row::Row;
use crate::stats::Spread;

/// A row of one run.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) id: String,
    pub(crate) first: bool,
    pub(crate) figures: &'static [&'static str],
    /// Ours first.
    pub(crate) names: Vec<&'static str>,
    /// By figure, then by contestant: over the rounds.
    pub(crate) values: Vec<Vec<Spread>>,
}

impl Measured {
    /// The median of contestant `name` over that of ours: above 1, ours needs less. A ratio of medians rather than a median of ratios: a disturbed
    /// turn is then dropped alone, not together with the other's turn of the same round.
    pub(crate) fn ratio(&self, figure: usize, name: &str) -> Option<f64> {
        let place = self.names.iter().position(|other| *other == name)?;
        let values = &self.values[figure];
        (values[0].median > 0.0).then(|| values[place].median / values[0].median)
    }

    /// The peer with the smallest ratio. The control is not a peer.
    pub(crate) fn best(&self, figure: usize) -> Option<(&'static str, f64)> {
        let peers = self.names.iter().skip(1).filter(|name| **name != Again::NAME);
        let ratios = peers.filter_map(|name| Some((*name, self.ratio(figure, name)?)));
        ratios.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// One run of all `rows`.
pub(crate) fn run(rows: &[Row], plan: &Plan, number: usize) -> Vec<Measured> {
    let takes_part = |row: &Row, place: usize| {
        let name = row.entries[place].name;
        place == 0 || name == Again::NAME || plan.against(name)
    };
    let fields: Vec<Vec<usize>> =
        rows.iter().map(|row| (0..row.entries.len()).filter(|place| takes_part(row, *place)).collect()).collect();
    let turns = plan.rounds * fields.iter().map(Vec::len).sum::<usize>();
    let bar = ProgressBar::new(turns as u64).with_style(
        ProgressStyle::with_template("{prefix} [{bar:40}] {percent:>3} %, {eta} left  {msg}")
            .expect("a valid template"),
    );
    bar.set_prefix(format!("run {number}/{}", plan.runs));
    let mut values: Vec<Vec<Vec<Vec<f64>>>> =
        rows.iter().zip(&fields).map(|(row, field)| vec![vec![Vec::new(); field.len()]; row.figures.len()]).collect();
    for _ in 0..plan.rounds {
        for ((row, field), values) in rows.iter().zip(&fields).zip(&mut values) {
            bar.set_message(row.id.clone());
            for contestant in drawn(field.len()) {
                let turn = (row.entries[field[contestant]].turn)();
                assert_eq!(turn.len(), row.figures.len(), "`{}`: a turn gives a value for each figure", row.id);
                for (figure, value) in turn.into_iter().enumerate() {
                    values[figure][contestant].push(value);
                }
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    let summary = rows.iter().zip(&fields).zip(values);
    summary.map(|((row, field), values)| summarise(row, field, values)).collect()
}

/// The numbers below `n`, in an order drawn by chance.
fn drawn(n: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..n).collect();
    fastrand::shuffle(&mut order);
    order
}

fn summarise(row: &Row, field: &[usize], values: Vec<Vec<Vec<f64>>>) -> Measured {
    Measured {
        id: row.id.clone(),
        first: row.first,
        figures: row.figures,
        names: field.iter().map(|place| row.entries[*place].name).collect(),
        values: values.into_iter().map(|figure| figure.into_iter().map(Spread::of).collect()).collect(),
    }
}
