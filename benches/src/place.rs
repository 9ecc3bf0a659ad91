//! On which cores threads may run. Where all cores are busy, what the kernel chooses decides as much as what a pool does; the command line can
//! take the choice from it (`--place`), for the rows whose callers are on a runtime of several workers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use crate::contestants::Contestant;
use crate::host::Host;
use crate::report::is_floor;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The runtime's workers on the first half of the cores, the pool's threads on the others.
    Apart,
    /// The workers one after the other on all cores, and the pool's threads, too.
    Mixed,
}

impl How {
    /// As the command line has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Mixed => "mixed",
        }
    }
}

/// Takes the choice from the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) how: How,
    /// Those that this process may use; two or more.
    cores: Arc<[usize]>,
}

impl Place {
    /// `Err`: this machine cannot do it.
    pub(crate) fn new(how: How) -> Result<Self, String> {
        let cores = system::cores()?;
        if cores.len() < 2 { Err("there is one core".to_owned()) } else { Ok(Self { how, cores: cores.into() }) }
    }

    /// The cores of the workers, and of the pool's threads.
    fn sides(&self) -> (&[usize], &[usize]) {
        match self.how {
            How::Apart => self.cores.split_at(self.cores.len() / 2),
            How::Mixed => (&self.cores, &self.cores),
        }
    }

    fn of_worker(&self, number: usize) -> usize {
        let (cores, _) = self.sides();
        cores[number % cores.len()]
    }

    fn of_pool_thread(&self, number: usize) -> usize {
        let (_, cores) = self.sides();
        cores[number % cores.len()]
    }

    /// To be called by each worker of a runtime as it starts.
    pub(crate) fn worker_hook(&self) -> impl Fn() + Send + Sync + 'static {
        let (place, started) = (self.clone(), AtomicUsize::new(0));
        move || system::stay_on(place.of_worker(started.fetch_add(1, Ordering::Relaxed)))
    }

    /// Puts all threads of `pool` in their places. They are all there, then: each runs a job that waits for the others. Not those of a floor,
    /// which runs no jobs.
    pub(crate) fn settle<C: Contestant>(&self, pool: &Arc<C>, host: &Host) {
        if is_floor(C::NAME) {
            return;
        }
        let threads = host.setup().threads;
        let all_there = Arc::new(Barrier::new(threads));
        let jobs: Vec<_> = (0..threads).map(|number| (Arc::clone(&all_there), self.of_pool_thread(number))).collect();
        let pool = Arc::clone(pool);
        host.run(async move {
            let submit = |(all_there, core): (Arc<Barrier>, usize)| {
                pool.submit(move || {
                    all_there.wait();
                    system::stay_on(core);
                })
            };
            let handles: Vec<_> = jobs.into_iter().map(submit).collect();
            for handle in handles {
                handle.await;
            }
        });
    }
}

#[cfg(target_os = "linux")]
mod system {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    /// This thread.
    const SELF: Pid = Pid::from_raw(0);

    pub(super) fn cores() -> Result<Vec<usize>, String> {
        let allowed = sched_getaffinity(SELF).map_err(|error| format!("the cores are not known: {error}"))?;
        Ok((0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)).collect())
    }

    pub(super) fn stay_on(core: usize) {
        let mut cores = CpuSet::new();
        cores.set(core).expect("it is one of `cores`");
        sched_setaffinity(SELF, &cores).expect("this process may use it");
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn cores() -> Result<Vec<usize>, String> {
        Err("it is known for Linux alone how to keep a thread on a core".to_owned())
    }

    pub(super) fn stay_on(_: usize) {
        unreachable!("there is no `Place` without `cores`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(how: How, cores: &[usize]) -> Place {
        Place { how, cores: cores.into() }
    }

    #[test]
    fn apart_no_core_has_threads_of_both() {
        for cores in [&[0, 1][..], &[3, 5, 7], &[0, 1, 2, 3]] {
            let place = on(How::Apart, cores);
            let workers: Vec<_> = (0..8).map(|number| place.of_worker(number)).collect();
            let pool: Vec<_> = (0..8).map(|number| place.of_pool_thread(number)).collect();
            assert!(cores.iter().all(|core| workers.contains(core) != pool.contains(core)), "{workers:?} {pool:?}");
        }
    }

    #[test]
    fn mixed_each_core_has_threads_of_both() {
        let place = on(How::Mixed, &[2, 3]);
        for (number, core) in [2, 3, 2].into_iter().enumerate() {
            assert_eq!((place.of_worker(number), place.of_pool_thread(number)), (core, core));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_thread_stays_where_it_was_put() {
        std::thread::spawn(|| {
            for core in system::cores().unwrap() {
                system::stay_on(core);
                assert_eq!(system::cores().unwrap(), [core]);
            }
        })
        .join()
        .unwrap();
    }
}
