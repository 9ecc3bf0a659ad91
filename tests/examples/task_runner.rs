//! `task_runner`: ten calls in a row on the pool, and the other coroutine after each, on the event loop.

use crate::process::output_of;

#[test]
fn ten_calls_alternate_with_the_other_coroutine() {
    let lines = output_of("task_runner");
    assert_eq!(lines.len(), 21, "{lines:#?}");
    let (last, pairs) = lines.split_last().expect("there are 21 lines");
    let mut tenths_of_all = 0;
    for (call, pair) in pairs.chunks(2).enumerate() {
        let start = format!("call {}: slept 0.", call + 1);
        let (tenths, thread) = pair[0].strip_prefix(&start).and_then(|rest| rest.split_once(" s on ")).expect(&start);
        let tenths: u32 = tenths.parse().expect("a number of tenths");
        assert!(tenths <= 3);
        tenths_of_all += tenths;
        assert!(thread.starts_with("offload-"), "not on the pool: {thread}");

        let other = pair[1].strip_prefix("other coroutine: ").expect("the other coroutine comes after each call");
        let (number, thread) = other.split_once(" on ").expect("it tells its thread");
        assert!(number.parse::<u32>().is_ok(), "not a number: {number}");
        assert_eq!(thread, "main", "the event loop's thread");
    }
    assert_eq!(*last, format!("ten calls, {}.{} s asleep", tenths_of_all / 10, tenths_of_all % 10));
}

#[test]
fn the_numbers_are_random() {
    let of_other =
        |lines: Vec<String>| -> Vec<String> { lines.into_iter().filter(|line| line.starts_with("other")).collect() };
    // Ten numbers below 1000: that two runs agree has a chance of one in 10^30.
    assert_ne!(of_other(output_of("task_runner")), of_other(output_of("task_runner")));
}
