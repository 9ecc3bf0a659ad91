//! A line of the table before it is measured: what it stands for, its figures, and who takes part.

use std::fmt;
use std::sync::Arc;

use crate::args::Scale;
use crate::contestants::{AffinityPool, Again, Channel, Contestant, Offload, Rayon, SpawnBlocking, Unblock};
use crate::host::{Host, Kind};

/// One workload at one size, for all contestants. It may give several figures.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) stands_for: String,
    pub(crate) figures: Vec<Figure>,
    /// Its figures hardly differ from round to round, and take long: a few rounds show that they do not.
    pub(crate) few_rounds: bool,
    /// It runs the compiler, which takes minutes: not in a quick run, unless it is asked for by name.
    pub(crate) compiles: bool,
    field: Box<Field>,
}

/// Starts all who take part, ours first.
type Field = dyn Fn(&Scale) -> Vec<Entry>;

/// One figure of a row.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// The part of its name after the row's.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    /// How contestants are compared.
    pub(crate) compare: Compare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Bytes,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// By the ratio to ours in the same round.
    Ratio,
    /// As they are: counts, or figures that may be zero.
    AsIs,
}

/// A contestant in a row. A turn returns one value for each figure; less is better.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) turn: Box<dyn FnMut() -> Vec<f64>>,
}

impl Figure {
    pub(crate) fn ratio(id: &'static str, title: &'static str, unit: Unit) -> Self {
        Self { id, title, unit, compare: Compare::Ratio }
    }

    pub(crate) fn as_is(id: &'static str, title: &'static str, unit: Unit) -> Self {
        Self { id, title, unit, compare: Compare::AsIs }
    }
}

impl Row {
    pub(crate) fn new(
        id: impl Into<String>,
        stands_for: impl Into<String>,
        figures: Vec<Figure>,
        field: impl Fn(&Scale) -> Vec<Entry> + 'static,
    ) -> Self {
        Self {
            id: id.into(),
            stands_for: stands_for.into(),
            figures,
            few_rounds: false,
            compiles: false,
            field: Box::new(field),
        }
    }

    pub(crate) fn few_rounds(mut self) -> Self {
        self.few_rounds = true;
        self
    }

    pub(crate) fn compiles(mut self) -> Self {
        self.compiles = true;
        self
    }

    /// Starts all who take part; ours comes first.
    pub(crate) fn field(&self, scale: &Scale) -> Vec<Entry> {
        (self.field)(scale)
    }
}

/// What the contestants do in a row.
pub(crate) trait Workload: Clone + 'static {
    /// One turn: a value for each figure of the row.
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64>;
}

/// The whole field at `workload`, ours first: pools of `threads` threads, callers on hosts of `kind`.
pub(crate) fn field(workload: &impl Workload, kind: Kind, threads: usize, scale: &Scale) -> Vec<Entry> {
    if scale.again {
        return vec![
            entry::<Offload>(workload, kind, threads, scale),
            entry::<Again<1>>(workload, kind, threads, scale),
            entry::<Again<2>>(workload, kind, threads, scale),
            entry::<Again<3>>(workload, kind, threads, scale),
            entry::<Again<4>>(workload, kind, threads, scale),
            entry::<Again<5>>(workload, kind, threads, scale),
        ];
    }
    vec![
        entry::<Offload>(workload, kind, threads, scale),
        entry::<SpawnBlocking>(workload, kind, threads, scale),
        entry::<Unblock>(workload, kind, threads, scale),
        entry::<Rayon>(workload, kind, threads, scale),
        entry::<AffinityPool>(workload, kind, threads, scale),
        entry::<Channel>(workload, kind, threads, scale),
    ]
}

/// One contestant, on a host of its own: on which cores the host's workers fell asleep last is not what the one before has left behind.
pub(crate) fn entry<C: Contestant>(workload: &impl Workload, kind: Kind, threads: usize, scale: &Scale) -> Entry {
    let host = Host::new(kind, threads, scale);
    let pool = Arc::new(C::start(&host.setup()));
    let workload = workload.clone();
    Entry { name: C::NAME, turn: Box::new(move || workload.turn(&pool, &host)) }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("id", &self.id).field("figures", &self.figures).finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}
