//! Whether glances at the jobs of a site pay. One that does saves some microseconds, one in vain costs as much as it is long.

use std::cell::Cell;

use super::super::origin::Origin;

/// What a thread's glances at the jobs of some sites have brought.
pub(super) struct Lucks {
    /// By their addresses; sites that fall on one place take turns in it.
    sites: [Cell<Luck>; 8],
}

#[derive(Clone, Copy)]
struct Luck {
    site: Option<Origin>,
    /// Below zero, one job in 2^-`credit` + 1 is glanced at.
    credit: i8,
    /// How many jobs from now are not.
    skips: u8,
}

impl Lucks {
    pub(super) const fn new() -> Self {
        Self { sites: [const { Cell::new(Luck::NEW) }; 8] }
    }

    fn place(&self, site: Origin) -> &Cell<Luck> {
        &self.sites[site.spread() % self.sites.len()]
    }

    /// Calls `look`, if the site's luck allows it. Returns whether it has found the result.
    pub(super) fn look(&self, site: Origin, look: impl FnOnce() -> bool) -> bool {
        let place = self.place(site);
        let mut luck = place.get();
        if luck.site != Some(site) {
            luck = Luck::of(site);
        }
        let hit = luck.allows() && {
            let hit = look();
            luck.learn(hit);
            hit
        };
        place.set(luck);
        hit
    }
}

impl Luck {
    const NEW: Self = Self { site: None, credit: 0, skips: 0 };
    const MOST: i8 = 8;
    const LEAST: i8 = -2;

    fn of(site: Origin) -> Self {
        Self { site: Some(site), ..Self::NEW }
    }

    /// Whether the next job is to be glanced at.
    fn allows(&mut self) -> bool {
        let skips = self.skips > 0;
        self.skips -= u8::from(skips);
        !skips
    }

    fn learn(&mut self, hit: bool) {
        self.credit = if hit { (self.credit + 2).min(Self::MOST) } else { (self.credit - 1).max(Self::LEAST) };
        if self.credit < 0 {
            self.skips = 1 << -self.credit;
        }
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    /// Of those that take longer, few are glanced at; and those that have become short are seen to have.
    #[test]
    fn c03_sites_where_glances_do_not_pay_are_glanced_at_now_and_then() {
        let (lucks, site) = (Lucks::new(), Origin::of_caller());
        let has_looked = |site: Origin, hit: bool| {
            let mut looked = false;
            let found = lucks.look(site, || {
                looked = true;
                hit
            });
            assert_eq!(found, looked && hit);
            looked
        };
        let looked = |hit: bool| (0..100).filter(|_| has_looked(site, hit)).count();
        assert_eq!(looked(false), 21, "one in five, but for the first two");
        // Its luck is at its worst.
        let next = |hit| (1..=100).find(|_| has_looked(site, hit)).unwrap();
        next(false);
        assert_eq!((next(false), next(true), next(true), next(false)), (5, 5, 1, 1), "a single result makes up for it");
        assert_eq!(looked(true), 100);
        assert_eq!(looked(false), 27, "at its best it stands eight in vain, and is as it was before");
        // The luck of one site is not that of another, unless they share a place.
        let others = [Origin::of_caller(), Origin::of_caller(), Origin::of_caller()];
        let is_elsewhere = |other: &&Origin| !std::ptr::eq(lucks.place(**other), lucks.place(site));
        let other = *others.iter().find(is_elsewhere).expect("three sites in one place");
        next(true);
        assert!(has_looked(other, false) && has_looked(site, true));
        // Two that do have none for long.
        lucks.place(site).set(Luck { credit: Luck::LEAST, skips: 4, ..Luck::of(other) });
        assert!(has_looked(site, true));
        assert_eq!(lucks.place(site).get().site, Some(site));
    }
}
