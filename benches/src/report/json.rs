//! The same for programs. Times are nanoseconds.

use serde_json::{Value, json};

use crate::args::Scale;
use crate::rounds::{Measured, MeasuredFigure};
use crate::row::{Compare, Unit};
use crate::stats::Spread;
use crate::targets::{Goal, Judged, Verdict};

pub(crate) fn document(scale: &Scale, rows: &[Measured], judged: &[Judged]) -> String {
    let document = json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "architecture": std::env::consts::ARCH,
        "system": std::env::consts::OS,
        "quick": scale.quick,
        "pool_threads": scale.threads,
        "runtime_workers": scale.workers,
        "place": scale.place.as_ref().map(|place| place.how.name()),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
        "targets": judged.iter().map(target).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn row(row: &Measured) -> Value {
    json!({
        "id": row.id,
        "stands_for": row.stands_for,
        "rounds": row.rounds,
        "line_way": (!row.line_ways.is_empty()).then(|| spread(Spread::of(row.line_ways.clone()))),
        "figures": row.figures.iter().map(|measured| figure(row, measured)).collect::<Vec<_>>(),
    })
}

fn figure(row: &Measured, measured: &MeasuredFigure) -> Value {
    let contestant = |(place, name): (usize, &&str)| {
        json!({
            "name": name,
            "value": spread(measured.values[place]),
            "ratio_to_ours": measured.ratios[place].map(spread),
        })
    };
    json!({
        "id": measured.figure.id,
        "title": measured.figure.title,
        "unit": match measured.figure.unit {
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes",
            Unit::Count => "count",
        },
        "compared_by_ratio": measured.figure.compare == Compare::Ratio,
        "contestants": row.names.iter().enumerate().map(contestant).collect::<Vec<_>>(),
    })
}

fn spread(spread: Spread) -> Value {
    json!({ "median": spread.median, "lower_quartile": spread.low, "upper_quartile": spread.high })
}

fn target(judged: &Judged) -> Value {
    let (relation, goal) = match judged.goal {
        Goal::BestPeer(least) => ("best peer over ours at least", least),
        Goal::Peer(_, least) => ("peer over ours at least", least),
        Goal::AtMost(most) => ("ours at most", most),
    };
    json!({
        "figure": judged.figure,
        "relation": relation,
        "goal": goal,
        "against": judged.against,
        "reached": spread(judged.reached),
        "floor_would_reach": judged.floor,
        "verdict": match judged.verdict {
            Verdict::Met => "met",
            Verdict::InTheNoise => "in the noise",
            Verdict::Missed => "missed",
        },
    })
}
