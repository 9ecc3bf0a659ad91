//! The rows of the two tables, one file for each kind of workload.

mod attribute;
mod burst;
mod callers;
mod copy;
mod hang_up;
mod memory;
mod streams;
mod submit;

use crate::row::Row;

/// All rows whose name contains one of `only`, in the order of the tables.
pub(crate) fn all(quick: bool, only: &[String]) -> Vec<Row> {
    let wanted = |id: &str| only.is_empty() || only.iter().any(|part| id.contains(part.as_str()));
    let mut rows: Vec<_> =
        callers::all().into_iter().filter(|row| wanted(&row.id())).map(|row| row.sized(quick)).collect();
    rows.extend(others(quick));
    rows.retain(|row| wanted(&row.id));
    rows
}

/// The names of all rows.
pub(crate) fn names() -> Vec<String> {
    callers::all().iter().map(callers::Callers::id).chain(others(true).into_iter().map(|row| row.id)).collect()
}

fn others(quick: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(burst::rows(quick));
    rows.extend(submit::rows(quick));
    rows.extend(hang_up::rows());
    rows.extend(memory::rows(quick));
    rows.extend(attribute::rows(quick));
    rows.extend(copy::rows(quick));
    rows.extend(streams::rows(quick));
    rows
}
