//! `concurrent_requests`: all four requests block at once, and the event loop goes on meanwhile.

use crate::process::output_of;

#[test]
fn all_four_begin_before_any_ends() {
    let lines = output_of("concurrent_requests");
    let places = |text: &str| -> Vec<usize> {
        lines.iter().enumerate().filter(|(_, line)| *line == text).map(|(place, _)| place).collect()
    };
    assert_eq!(places("spawned!"), [0]);
    assert_eq!(places("Starting with blocking..."), [1, 2, 3, 4], "{lines:#?}");
    let stops = places("Stopping with blocking...");
    let answers = places("got 3.1415");
    assert_eq!((stops.len(), answers.len()), (4, 4), "{lines:#?}");
    for (nth, (stop, answer)) in stops.iter().zip(&answers).enumerate() {
        assert!(stop < answer, "answer {nth} came before its call had ended: {lines:#?}");
    }
    assert_eq!(places("Done."), [13]);
    assert_eq!(lines.len(), 14);
}
