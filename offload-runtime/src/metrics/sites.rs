//! The tallies of one executor, found by the site of a job without a lock.
//!
//! A hash table that only grows: each slot is filled once, and where all slots of a site are taken, a table of twice the size follows.

use std::sync::OnceLock;

use super::panics::{PanicRecord, Panics};
use super::tally::Tally;
use super::{Figures, SiteMetrics};
use crate::job::Origin;
use crate::sync::{Arc, Counter};

/// The slots in which a site may be, in one table.
const PROBES: usize = 8;

/// The sites of one executor.
pub(crate) struct Sites {
    /// The name under which they are published, if they are.
    label: Option<Arc<str>>,
    timing: bool,
    /// The number of sites.
    count: Counter,
    table: Table,
    panics: Arc<Panics>,
}

struct Table {
    slots: Box<[OnceLock<Arc<Tally>>]>,
    next: OnceLock<Box<Table>>,
}

impl Table {
    fn new(size: usize) -> Self {
        Self { slots: (0..size).map(|_| OnceLock::new()).collect(), next: OnceLock::new() }
    }
}

impl Sites {
    /// `timing`: whether wait and run times are recorded. `label`: the name under which they are published, if they are.
    pub(crate) fn new(timing: bool, label: Option<&Arc<str>>) -> Self {
        Self {
            label: label.cloned(),
            timing,
            count: Counter::new(),
            table: Table::new(2 * PROBES),
            panics: Arc::default(),
        }
    }

    /// The name under which they are published, if they are.
    #[cfg(feature = "metrics")]
    pub(crate) fn label(&self) -> Option<&Arc<str>> {
        self.label.as_ref()
    }

    /// Whether no job has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    /// The tally of a site, made by the first call.
    #[inline]
    pub(crate) fn tally(&self, origin: Origin) -> &Arc<Tally> {
        let mut table = &self.table;
        loop {
            for probe in 0..PROBES {
                // The size is a power of two.
                let slot = &table.slots[origin.hash().wrapping_add(probe) & (table.slots.len() - 1)];
                let tally = slot.get().unwrap_or_else(|| slot.get_or_init(|| self.open(origin)));
                if tally.origin() == origin {
                    return tally;
                }
            }
            table = table.next.get_or_init(|| Box::new(Table::new(2 * table.slots.len())));
        }
    }

    #[cold]
    fn open(&self, origin: Origin) -> Arc<Tally> {
        Tally::new(origin, self.count.add_one(), self.timing, self.label.as_ref(), &self.panics)
    }

    /// The last panics of the executor's jobs, the latest first.
    pub(crate) fn recent_panics(&self) -> Vec<PanicRecord> {
        self.panics.read()
    }

    /// The metrics of all sites together, and of each, in the order in which they first came.
    pub(crate) fn read(&self) -> (Figures, Vec<SiteMetrics>) {
        let mut tallies = Vec::new();
        let mut next = Some(&self.table);
        while let Some(table) = next {
            tallies.extend(table.slots.iter().filter_map(OnceLock::get));
            next = table.next.get().map(|next| &**next);
        }
        tallies.sort_by_key(|tally| tally.number());
        let sites: Vec<SiteMetrics> = tallies.into_iter().map(|tally| tally.read()).collect();
        let mut all = Figures::default();
        for site in &sites {
            all.add(&site.figures);
        }
        (all, sites)
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::panic::Location;

    use super::*;

    /// More sites than a table has slots, from several threads: each has one tally, and is found again.
    #[test]
    fn each_site_has_one_tally_however_many_there_are() {
        // Each call leaks a place of its own: as many sites as there are lines.
        let origins: Vec<Origin> =
            (0..500).map(|_| Origin::of_location(Box::leak(Box::new(*Location::caller())))).collect();
        let sites = Sites::new(false, None);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for origin in &origins {
                        sites.tally(*origin).submitted();
                    }
                });
            }
        });
        let (all, by_site) = sites.read();
        assert_eq!((all.submitted, by_site.len()), (4 * 500, 500));
        assert!(by_site.iter().all(|site| site.submitted() == 4));
    }
}
