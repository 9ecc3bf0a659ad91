//! The same for programs: each run, with medians and quartiles. Times are nanoseconds.

use serde_json::{Value, json};

use crate::args::Plan;
use crate::host::{THREADS, WORKERS};
use crate::rounds::Measured;
use crate::targets::Judged;

pub(crate) fn document(plan: &Plan, runs: &[Vec<Measured>], judged: &[Judged]) -> String {
    let target = |Judged { what, goal, reached, met }: &Judged| json!({ "what": what, "goal": goal, "reached": reached, "met": met });
    let document = json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "architecture": std::env::consts::ARCH,
        "system": std::env::consts::OS,
        "quick": plan.quick,
        "rounds": plan.rounds,
        "pool_threads": THREADS,
        "runtime_workers": WORKERS,
        "targets": judged.iter().map(target).collect::<Vec<_>>(),
        "runs": runs.iter().map(|rows| rows.iter().map(row).collect::<Vec<_>>()).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn row(row: &Measured) -> Value {
    let figure = |(title, values): (&&str, &Vec<crate::stats::Spread>)| {
        let each = row
            .names
            .iter()
            .zip(values)
            .map(|(name, spread)| ((*name).to_owned(), json!([spread.low, spread.median, spread.high])));
        ((*title).to_owned(), Value::Object(each.collect()))
    };
    let figures = row.figures.iter().zip(&row.values).map(figure).collect();
    json!({ "row": row.id, "low_median_high": Value::Object(figures) })
}
