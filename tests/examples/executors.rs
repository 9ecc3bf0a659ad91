//! `executors`: each method on the executor that its attribute names, the free function on the default one.

use std::fs;

use crate::process::{output_of, workspace};

#[test]
fn each_call_runs_on_its_executor() {
    let lines = output_of("executors");
    let [read, count, says, directory, path] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(read, "read: on io-0");
    assert_eq!(count, "most_frequent: on cpu-0");
    assert_eq!(directory, "current_directory: on offload-0");

    let here = std::env::current_dir().expect("the test has a current directory");
    assert_eq!(*path, format!("it runs in {}", here.display()));

    let says = says.strip_prefix("this program says `").and_then(|rest| rest.strip_suffix(" times"));
    let (word, times) = says.and_then(|says| says.split_once("` ")).expect("a word and how often it is there");
    let source = fs::read_to_string(workspace().join("examples/executors.rs")).expect("the example is there");
    let there = source.split(|c: char| !c.is_alphanumeric()).filter(|other| *other == word).count();
    assert_eq!(times, there.to_string(), "of `{word}`");
}
