//! A pool of one thread: one owner, one job at a time, in order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, StatefulPool};
use tests::support::{PATIENCE, finish, within};

use crate::support::{Log, State};

#[test]
fn jobs_run_in_order_with_exclusive_access() {
    let pool = StatefulPool::new(1, || Ok::<_, io::Error>(Vec::new()));
    let jobs: Vec<_> = (0..1_000)
        .map(|i| {
            pool.submit_with(move |list: &mut Vec<usize>| {
                list.push(i);
                list.len()
            })
        })
        .collect();
    for (i, job) in jobs.into_iter().enumerate() {
        assert_eq!(finish(job).unwrap(), i + 1);
    }
    let list = finish(pool.submit_with(|list| list.clone())).unwrap();
    assert_eq!(list, (0..1_000).collect::<Vec<_>>());
}

/// However threads come and go, there is never a second state.
#[test]
fn there_is_one_state_at_a_time_though_threads_retire() {
    let log = Log::default();
    let pool = log.build(StatefulPool::builder().max_threads(1).keep_alive(Duration::ZERO));
    for _ in 0..2_000 {
        finish(pool.submit_with(State::use_it)).unwrap();
    }
    finish(pool.shutdown());
    assert_eq!(log.most(), 1);
    log.assert_all_dropped_at_home();
}

/// An actor's job that awaits a job of the actor would wait for itself, or break the exclusive access.
#[test]
fn an_awaited_job_of_its_own_actor_is_refused() {
    let log = Log::default();
    let pool = log.pool(1);
    let of_job = pool.clone();
    let outer = pool.submit_with(move |state| {
        let inner = finish(of_job.submit_with(State::use_it));
        let plain = finish(of_job.submit(|| 1));
        let of_view = finish(of_job.clone().limited(1).submit_with(State::use_it));
        let joined = finish(async { futures::join!(of_job.submit_with(|_| ()), of_job.submit_with(|_| ())) });
        state.use_it();
        (inner.unwrap_err(), plain.unwrap_err(), of_view.unwrap_err(), joined.0.unwrap_err(), joined.1.unwrap_err())
    });
    let outer = within(PATIENCE, move || finish(outer).unwrap());
    for refused in [outer.0, outer.1, outer.2, outer.3, outer.4] {
        let Error::Unavailable(text) = refused else { panic!("{refused:?}") };
        assert!(text.contains("awaited another job of its own `StatefulPool` of one thread"), "{text}");
    }
    assert_eq!((log.opened(), log.most(), pool.metrics().peak_threads()), (1, 1, 1));
    tests::support::assert_balanced(&pool.metrics());
    // What it was to do has not been done, and all goes on.
    assert_eq!(finish(pool.submit_with(State::use_it)).unwrap(), 2);
}

/// Others that wait in a view are not refused with the awaited job, and a view's job may not await its neighbour either.
#[test]
fn an_awaited_job_of_a_view_of_the_actor_is_refused_alone() {
    let log = Log::default();
    let pool = log.pool(1);
    let view = pool.clone().limited(1);
    let (of_job, before) = (view.clone(), Arc::new(AtomicBool::new(false)));
    let ran = Arc::clone(&before);
    let outer = view.submit_with(move |_| {
        let bystander = of_job.submit_with(move |_| ran.store(true, Ordering::SeqCst));
        let awaited = finish(of_job.submit_with(|_| ()));
        (bystander, awaited)
    });
    let (bystander, awaited) = within(PATIENCE, move || finish(outer).unwrap());
    assert!(matches!(awaited, Err(Error::Unavailable(_))), "{awaited:?}");
    finish(bystander).unwrap();
    assert!(before.load(Ordering::SeqCst));
    assert_eq!(view.metrics().refused(), 1);

    let (from_pool, of_job) = (pool.clone(), view.clone());
    let outer = from_pool.submit_with(move |_| {
        let bystander = of_job.submit_with(|_| ());
        (bystander, finish(of_job.submit_with(|_| ())))
    });
    let (bystander, awaited) = within(PATIENCE, move || finish(outer).unwrap());
    assert!(matches!(awaited, Err(Error::Unavailable(_))), "{awaited:?}");
    finish(bystander).unwrap();
}

/// A message that an actor sends itself, and does not await, is what it does next.
#[test]
fn an_actor_may_submit_to_itself() {
    let pool = StatefulPool::new(1, || Ok::<_, io::Error>(0));
    let of_job = pool.clone();
    finish(pool.submit_with(move |count| {
        of_job.submit_with(|count| *count += 1).detach();
        assert_eq!(*count, 0);
    }))
    .unwrap();
    assert_eq!(finish(pool.submit_with(|count| *count)).unwrap(), 1);
}

/// Jobs of other pools may await an actor's jobs, any number at once.
#[test]
fn jobs_of_another_pool_may_await_an_actor() {
    let actor = StatefulPool::new(1, || Ok::<_, io::Error>(0_u32));
    let pool = offload_runtime::ThreadPool::new(2);
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let actor = actor.clone();
            pool.submit(move || {
                finish(actor.submit_with(|count| {
                    *count += 1;
                    *count
                }))
                .unwrap()
            })
        })
        .collect();
    let mut seen: Vec<_> = jobs.into_iter().map(|job| finish(job).unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

/// A destructor that waits for its own pool fails, with a message, and nothing hangs.
#[test]
fn a_state_whose_destructor_awaits_its_own_pool_is_told() {
    struct Reaches(Option<StatefulPool<Reaches>>);
    impl Drop for Reaches {
        fn drop(&mut self) {
            if let Some(pool) = &self.0 {
                drop(finish(pool.submit_with(|_| ())));
            }
        }
    }
    let messages = Arc::new(std::sync::Mutex::new(Vec::new()));
    let of_hook = Arc::clone(&messages);
    tests::support::with_hook(
        move |info| of_hook.lock().unwrap().push(info.to_string()),
        || {
            let pool = StatefulPool::builder()
                .max_threads(1)
                .keep_alive(Duration::ZERO)
                .open(|| Ok::<_, io::Error>(Reaches(None)));
            let of_job = pool.clone();
            finish(pool.submit_with(move |state| state.0 = Some(of_job))).unwrap();
            tests::support::eventually("the thread has left", || pool.metrics().threads() == 0);
        },
    );
    let messages = messages.lock().unwrap();
    assert!(messages.iter().any(|message| message.contains("awaits a job of its own pool")), "{messages:?}");
}

/// What holds for a pool of one thread holds for one that was made so, and no longer for one that was given more.
#[test]
fn a_pool_becomes_an_actor_and_ceases_to_be_one() {
    let log = Log::default();
    let pool = log.pool(2);
    let awaits_another = || {
        let of_job = pool.clone();
        let outer = pool.submit_with(move |_| finish(of_job.submit_with(State::use_it)));
        within(PATIENCE, move || finish(outer).unwrap())
    };
    pool.set_max_threads(1);
    assert!(matches!(awaits_another(), Err(Error::Unavailable(_))));
    assert_eq!((log.opened(), pool.metrics().peak_threads()), (1, 1));
    pool.set_max_threads(2);
    awaits_another().expect("a second thread may run it");
    assert_eq!(log.opened(), 2);
    pool.set_max_threads(1);
    assert!(matches!(awaits_another(), Err(Error::Unavailable(_))));
}
