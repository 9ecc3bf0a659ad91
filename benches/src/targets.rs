//! What ours has to reach, and whether it did.
//!
//! A goal is met if the median is there, in the noise if only the better quartile is, and missed otherwise.

use crate::contestants::{Contestant, SpawnBlocking, WAKING};
use crate::report::{is_floor, is_peer};
use crate::rounds::{Measured, MeasuredFigure};
use crate::stats::Spread;

/// What a figure of ours has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// The best peer of the row needs at least so many times as much as ours.
    BestPeer(f64),
    /// This peer does.
    Peer(&'static str, f64),
    /// Ours itself is at most this.
    AtMost(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    InTheNoise,
    Missed,
}

/// A goal, with what was measured.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) figure: String,
    pub(crate) goal: Goal,
    pub(crate) against: &'static str,
    pub(crate) reached: Spread,
    /// What the floor would reach, if there is one in the row: the median of `against` over its.
    pub(crate) floor: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// The goals of one figure.
fn goals(row: &str, figure: &str) -> Vec<Goal> {
    let (workload, host) = row.split_once('/').unwrap_or((row, ""));
    let at_most = match (workload, figure) {
        // Dropped means freed, and nobody wakes up for nothing.
        ("queued", "left") | ("idle", "switches") => Some(0.0),
        ("memory", "allocations") => Some(1.0),
        // Dropping all takes as long per handle as dropping a tenth of them, give or take what the caches do.
        ("hang-up", "growth") => Some(1.5),
        // The closure's 16 bytes and 64 beyond.
        ("memory", "bytes") => Some(80.0),
        ("queued", "bytes" | "resident") => Some(100.0),
        _ => None,
    };
    let best_peer = match (workload, host, figure) {
        ("callers", _, "time") => Some(1.3),
        ("burst", _, "time") | ("hold-idle" | "hold-busy", "current", "median") => Some(2.0),
        ("hold-idle" | "hold-busy", "workers", "median") => Some(4.0),
        // No row is worse than the best peer. The longest of thousands of submits is left out: it is the machine's.
        (_, _, "time" | "excess" | "p99" | "served") | ("callers" | "burst", _, "cpu") => Some(1.0),
        _ => None,
    };
    // The attribute may cost what cannot be told from nothing.
    let best_peer = if workload == "attribute" { best_peer.map(|_| 0.97) } else { best_peer };
    let spawn_blocking = matches!((workload, figure), ("round-trip" | "round-trip-quiet", "time"));
    let goals = [
        best_peer.map(Goal::BestPeer),
        spawn_blocking.then_some(Goal::Peer(SpawnBlocking::NAME, 2.0)),
        at_most.map(Goal::AtMost),
    ];
    goals.into_iter().flatten().collect()
}

/// The peer that needs least, of those that could be picked instead.
pub(crate) fn best_peer<'a>(row: &'a Measured, figure: &'a MeasuredFigure) -> Option<(&'static str, Spread)> {
    let peers = row.names.iter().zip(&figure.ratios).skip(1).filter(|(name, _)| is_peer(name));
    let compared = peers.filter_map(|(name, ratio)| ratio.map(|ratio| (*name, ratio)));
    compared.min_by(|(_, a), (_, b)| a.median.total_cmp(&b.median))
}

/// What the lowest floor of the row takes, over ours. Where one wakes the callers through their runtime, as each pool has to, it is that.
fn floor(row: &Measured, figure: &MeasuredFigure) -> Option<f64> {
    let floors = row.names.iter().zip(&figure.ratios).filter(|(name, _)| is_floor(name));
    let measured = floors.filter_map(|(name, ratio)| ratio.map(|ratio| (*name != WAKING, ratio.median)));
    measured.min_by(|(a, x), (b, y)| a.cmp(b).then(x.total_cmp(y))).map(|(_, ratio)| ratio)
}

/// All goals of a row's figures.
pub(crate) fn judge(row: &Measured) -> Vec<Judged> {
    let of_figure = |figure: &MeasuredFigure| {
        let name = format!("{} {}", row.id, figure.figure.id);
        let judged = |goal| judge_one(row, figure, goal);
        let goals = goals(&row.id, figure.figure.id);
        let found: Vec<_> = goals.into_iter().filter_map(|goal| Some((goal, judged(goal)?))).collect();
        let floor = floor(row, figure);
        found.into_iter().map(move |(goal, (against, reached, verdict))| Judged {
            figure: name.clone(),
            goal,
            against,
            reached,
            floor: floor.filter(|_| !matches!(goal, Goal::AtMost(_))).map(|floor| reached.median / floor),
            verdict,
        })
    };
    row.figures.iter().flat_map(of_figure).collect()
}

fn judge_one(row: &Measured, figure: &MeasuredFigure, goal: Goal) -> Option<(&'static str, Spread, Verdict)> {
    let at_least = |(name, ratio): (&'static str, Spread), least: f64| {
        let verdict = match ratio {
            _ if ratio.median >= least => Verdict::Met,
            _ if ratio.high >= least => Verdict::InTheNoise,
            _ => Verdict::Missed,
        };
        (name, ratio, verdict)
    };
    match goal {
        Goal::BestPeer(least) => best_peer(row, figure).map(|best| at_least(best, least)),
        Goal::Peer(peer, least) => {
            let place = row.names.iter().position(|name| *name == peer)?;
            figure.ratios[place].map(|ratio| at_least((peer, ratio), least))
        }
        Goal::AtMost(most) => {
            let ours = figure.values[0];
            let verdict = match ours {
                _ if ours.median <= most => Verdict::Met,
                _ if ours.low <= most => Verdict::InTheNoise,
                _ => Verdict::Missed,
            };
            Some((row.names[0], ours, verdict))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Figure, Unit};

    /// Neither the floor nor ours without times is a peer; what the floor would reach is told beside each verdict.
    #[test]
    fn a_floor_tells_what_could_be_reached_and_is_no_peer() {
        let at = |median| Spread::of(vec![median]);
        let measured = |figure: Figure| MeasuredFigure {
            values: vec![at(100.0), at(20.0), at(150.0), at(50.0)],
            ratios: [1.0, 0.2, 1.5, 0.5].map(|ratio| Some(at(ratio))).into(),
            figure,
        };
        let mut row = Measured {
            id: "hold-idle/current".into(),
            stands_for: String::new(),
            rounds: 1,
            names: vec!["offload", "offload untimed", "peer", "floor: word"],
            figures: vec![measured(Figure::ratio("median", "", Unit::Nanoseconds))],
            line_ways: Vec::new(),
        };
        let judged = |row: &Measured| -> Judged {
            let [judged] = judge(row).try_into().expect("it has one goal");
            judged
        };
        assert_eq!((judged(&row).against, judged(&row).verdict), ("peer", Verdict::Missed));
        assert!((judged(&row).floor.unwrap() - 3.0).abs() < 1e-9);
        // Nor is the lowest, where another wakes the callers.
        row.names[1] = WAKING;
        row.figures[0].ratios[1] = Some(at(0.6));
        assert!((judged(&row).floor.unwrap() - 2.5).abs() < 1e-9);
    }
}
