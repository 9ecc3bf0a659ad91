//! `/` and `/sleep/{n}`: what they answer, and what they make of a bad n.

use std::time::{Duration, Instant};

use super::client::Web;

/// The time of day in an answer such as `Awake! (12:34:56.789)`, in milliseconds.
fn time_in(answer: &str, greeting: &str) -> u32 {
    let time = answer.strip_prefix(greeting).and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(")\n"));
    let time = time.unwrap_or_else(|| panic!("not `{greeting}` and a time: {answer:?}"));
    let parts: Vec<u32> = time.split([':', '.']).map(|part| part.parse().expect("a part of a time")).collect();
    let [hours, minutes, seconds, milliseconds] = parts[..] else { panic!("not a time of day: {time}") };
    assert!(hours < 24 && minutes < 60 && seconds < 60 && milliseconds < 1000, "not a time of day: {time}");
    ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
}

#[test]
fn the_root_greets_and_tells_the_time() {
    let (status, body) = Web::start().get("/");
    assert_eq!(status, 200);
    time_in(&body, "Hello, world");
}

#[test]
fn sleep_answers_after_so_many_seconds() {
    const DAY: u32 = 24 * 60 * 60 * 1000;
    let web = Web::start();
    let before = time_in(&web.get("/").1, "Hello, world");
    let begin = Instant::now();
    let (status, body) = web.get("/sleep/1");
    assert!(begin.elapsed() >= Duration::from_secs(1), "answered early");
    assert_eq!(status, 200);
    let slept = (time_in(&body, "Awake!") + DAY - before) % DAY;
    assert!(slept >= 1000, "the times are {slept} ms apart");
}

#[test]
fn sleep_zero_answers() {
    let (status, body) = Web::start().get("/sleep/0");
    assert_eq!(status, 200);
    time_in(&body, "Awake!");
}

#[test]
fn a_bad_number_of_seconds_is_a_400() {
    let web = Web::start();
    for n in ["abc", "-1", "0.5", "1e3", "%20", "%FF", "3601", "18446744073709551615", "18446744073709551616"] {
        let (status, body) = web.get(&format!("/sleep/{n}"));
        assert_eq!(status, 400, "for {n}: {body}");
        assert!(!body.is_empty(), "the answer for {n} says nothing");
    }
    assert_eq!(web.get("/sleep/0").0, 200, "still serves");
}

#[test]
fn another_path_is_a_404() {
    let web = Web::start();
    for target in ["/nothing", "/sleep", "/sleep/", "/sleep/1/2", "/lines/"] {
        assert_eq!(web.get(target).0, 404, "for {target}");
    }
}

#[test]
fn the_page_of_the_pools_is_mounted() {
    let web = Web::start();
    let (status, body) = web.get("/pools");
    assert_eq!(status, 200);
    assert!(body.contains("<title>Pools</title>"), "{body}");
    assert_eq!(web.get("/pools/page.js").0, 200);
}
