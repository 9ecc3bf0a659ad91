//! A line of a table before it is measured: its name, its figures, and a turn for each contestant.

use std::thread;
use std::time::Duration;

use crate::contestants::{AffinityPool, Again, Channel, Contestant, Offload, Rayon, SpawnBlocking, Unblock};
use crate::host::{Host, Kind};

/// One workload for all contestants.
pub(crate) struct Row {
    pub(crate) id: String,
    /// In the first table.
    pub(crate) first: bool,
    pub(crate) figures: &'static [&'static str],
    /// Ours first.
    pub(crate) entries: Vec<Entry>,
}

/// A contestant in a row. A turn gives a value for each figure; less is better.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) turn: Box<dyn Fn() -> Vec<f64>>,
}

/// What the contestants do in a row.
pub(crate) trait Workload: Copy + 'static {
    /// One turn on a fresh pool, which is warmed up first.
    fn turn<C: Contestant>(self, pool: C, host: &Host) -> Vec<f64>;
}

/// All contestants at `workload`.
pub(crate) fn field(workload: impl Workload, kind: Kind) -> Vec<Entry> {
    vec![
        entry::<Offload>(workload, kind),
        entry::<Again>(workload, kind),
        entry::<SpawnBlocking>(workload, kind),
        entry::<Unblock>(workload, kind),
        entry::<AffinityPool>(workload, kind),
        entry::<Channel>(workload, kind),
        entry::<Rayon>(workload, kind),
    ]
}

fn entry<C: Contestant>(workload: impl Workload, kind: Kind) -> Entry {
    Entry { name: C::NAME, turn: Box::new(move || turn::<C>(workload, kind)) }
}

/// One turn on a fresh runtime and a fresh pool.
pub(crate) fn turn<C: Contestant>(workload: impl Workload, kind: Kind) -> Vec<f64> {
    let host = Host::new(kind);
    let values = workload.turn(C::start(&host.setup()), &host);
    drop(host);
    // Threads of the dropped pool end meanwhile, not in the next turn. If one takes longer, that adds noise and nothing else.
    thread::sleep(Duration::from_millis(1));
    values
}
