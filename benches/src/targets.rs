//! What our pool has to reach, as data, and the judgement over all runs.

use crate::contestants::{Again, Contestant};
use crate::rounds::Measured;
use crate::stats::geometric_mean;

/// The columns of the first table: title, the part of a row's name that belongs to it, figure, and the least that every peer has to need over ours.
pub(crate) const COLUMNS: [(&str, &str, usize, f64); 5] = [
    ("time", "", TIME, 1.05),
    ("1 caller", "/1/", TIME, 1.0),
    ("8 callers", "/8/", TIME, 1.0),
    ("64 callers", "/64/", TIME, 1.0),
    ("CPU", "", CPU, 1.05),
];
const TIME: usize = 0;
const CPU: usize = 1;

/// No row of the first table may be below this share of its best peer in every run.
pub(crate) const WORST: f64 = 0.85;

/// Rows of the second table by the beginning of their names, and the least that the best peer has to need over ours.
const BEST_PEER: [(&str, f64); 5] =
    [("burst", 1.3), ("256-callers", 1.0), ("submit", 2.0), ("copy", 1.0), ("stream", 1.0)];

/// Figures of the rows `memory..`, and the most that ours may be.
const AT_MOST: [(usize, f64); 2] = [(0, 1.0), (1, 64.0)];

/// A target and what was reached.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) what: String,
    pub(crate) goal: f64,
    pub(crate) reached: f64,
    pub(crate) met: bool,
}

/// The geometric mean of `name`'s ratios in one column, over all rows of all runs.
pub(crate) fn column(runs: &[Vec<Measured>], name: &str, part: &str, figure: usize) -> Option<f64> {
    let rows = runs.iter().flatten().filter(|row| row.first && row.id.contains(part));
    geometric_mean(rows.filter_map(|row| row.ratio(figure, name)))
}

/// The rows below `WORST` of their best peer in every run: name, best peer in the last run, the mean over the runs.
pub(crate) fn worst(runs: &[Vec<Measured>]) -> Vec<(String, &'static str, f64)> {
    let of_row = |place: usize| {
        let best: Vec<_> = runs.iter().map(|rows| rows[place].best(TIME)).collect::<Option<_>>()?;
        let below = best.iter().all(|(_, ratio)| *ratio < WORST);
        let (peer, _) = *best.last()?;
        let mean = geometric_mean(best.iter().map(|(_, ratio)| *ratio))?;
        (runs[0][place].first && below).then(|| (runs[0][place].id.clone(), peer, mean))
    };
    (0..runs[0].len()).filter_map(of_row).collect()
}

/// All targets.
pub(crate) fn judge(runs: &[Vec<Measured>]) -> Vec<Judged> {
    let mut judged = Vec::new();
    let peers = runs[0][0].names.iter().skip(1).filter(|name| **name != Again::NAME);
    for peer in peers {
        for (title, part, figure, goal) in COLUMNS {
            let Some(reached) = column(runs, peer, part, figure) else { continue };
            judged.push(Judged { what: format!("{peer}: {title}"), goal, reached, met: reached >= goal });
        }
    }
    for (what, peer, reached) in worst(runs) {
        judged.push(Judged { what: format!("{what}: best peer, {peer}"), goal: WORST, reached, met: false });
    }
    for (place, row) in runs[0].iter().enumerate() {
        if let Some((_, goal)) = BEST_PEER.into_iter().find(|(begin, _)| row.id.starts_with(begin)) {
            let best = runs.iter().filter_map(|rows| rows[place].best(TIME)).map(|(_, ratio)| ratio);
            let Some(reached) = geometric_mean(best) else { continue };
            judged.push(Judged { what: format!("{}: best peer", row.id), goal, reached, met: reached >= goal });
        }
        if row.id.starts_with("memory") {
            for (figure, goal) in AT_MOST {
                let ours = runs.iter().map(|rows| rows[place].values[figure][0].median);
                let reached = ours.fold(0.0, f64::max);
                let what = format!("{}: {} at most", row.id, row.figures[figure]);
                judged.push(Judged { what, goal, reached, met: reached < goal + 0.05 });
            }
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Spread;

    /// A row in which ours needs 1 of everything, and the peers `others`, by figure and then by name.
    fn row(id: &str, first: bool, others: [[f64; 2]; 2]) -> Measured {
        let of = |figure: [f64; 2]| [1.0, 1.0, figure[0], figure[1]].map(|value| Spread::of(vec![value])).to_vec();
        Measured {
            id: id.to_owned(),
            first,
            figures: &["time", "cpu"],
            names: vec!["offload", Again::NAME, "one", "two"],
            values: others.map(of).to_vec(),
        }
    }

    fn of_target<'a>(judged: &'a [Judged], what: &str) -> Option<&'a Judged> {
        judged.iter().find(|judged| judged.what == what)
    }

    #[test]
    fn a_column_is_the_mean_over_its_rows_of_all_runs() {
        let run = |ratio| {
            let (eight, sixty_four) = (
                row("stat/8/current", true, [[ratio, 2.0], [1.0, 1.0]]),
                row("stat/64/current", true, [[8.0, 2.0], [1.0, 1.0]]),
            );
            vec![eight, sixty_four, row("burst/current", false, [[9.0, 9.0], [9.0, 9.0]])]
        };
        let runs = [run(0.5), run(2.0)];
        let judged = judge(&runs);
        assert!((of_target(&judged, "one: 8 callers").unwrap().reached - 1.0).abs() < 1e-9);
        assert!((of_target(&judged, "one: 64 callers").unwrap().reached - 8.0).abs() < 1e-9);
        assert!((of_target(&judged, "one: time").unwrap().reached - 8_f64.sqrt()).abs() < 1e-9);
        assert!(of_target(&judged, "one: 8 callers").unwrap().met && of_target(&judged, "two: time").unwrap().met);
        assert!(!of_target(&judged, "two: CPU").unwrap().met, "1.0 is less than 1.05");
        assert!(of_target(&judged, "one: 1 caller").is_none(), "no such row was measured");
        assert!(judged.iter().all(|judged| !judged.what.starts_with(Again::NAME)), "the control is no peer");
    }

    #[test]
    fn a_row_is_missed_if_it_is_below_its_best_peer_in_every_run() {
        let run = |always, once| {
            vec![
                row("stat/8/workers", true, [[2.0, always], [1.0, 1.0]]),
                row("read/8/workers", true, [[once, 2.0], [1.0, 1.0]]),
            ]
        };
        let missed = worst(&[run(0.5, 0.5), run(0.8, 0.9)]);
        assert_eq!(missed.len(), 1);
        assert_eq!((missed[0].0.as_str(), missed[0].1), ("stat/8/workers", "two"));
        assert!((missed[0].2 - 0.4_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn rows_of_empty_jobs_are_judged_by_their_best_peer_and_memory_by_ours() {
        let mut memory = row("memory", false, [[9.0, 9.0], [9.0, 9.0]]);
        memory.values[1][0] = Spread::of(vec![65.0]);
        let judged = judge(&[vec![row("burst/current", false, [[1.2, 5.0], [1.0, 1.0]]), memory]]);
        let burst = of_target(&judged, "burst/current: best peer").unwrap();
        assert!((burst.reached - 1.2).abs() < 1e-9 && !burst.met);
        assert!(of_target(&judged, "memory: time at most").unwrap().met, "one allocation");
        assert!(!of_target(&judged, "memory: cpu at most").unwrap().met, "65 bytes are more than 64");
    }
}
