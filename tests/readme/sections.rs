//! The sections of each documented item stand in one order, so that a reader finds them: the one that `CONTRIBUTING.md` names.

use std::fs;
use std::path::{Path, PathBuf};

const ORDER: [&str; 5] = ["Cancel safety", "Panics", "Errors", "Safety", "Examples"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines at which a section follows one that belongs behind it.
fn misplaced(text: &str) -> Vec<usize> {
    let (mut last, mut in_code, mut lines) = (0, false, Vec::new());
    for (line, number) in text.lines().map(str::trim_start).zip(1..) {
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            (last, in_code) = (0, false);
            continue;
        };
        let doc = doc.trim_start();
        in_code ^= doc.starts_with("```");
        let heading = doc.strip_prefix("# ").filter(|_| !in_code);
        if let Some(place) = heading.and_then(|heading| ORDER.iter().position(|section| *section == heading)) {
            if place < last {
                lines.push(number);
            }
            last = place;
        }
    }
    lines
}

#[test]
fn a_section_in_the_wrong_place_is_found() {
    assert_eq!(misplaced("/// # Panics\n/// # Errors\nfn f() {}\n/// # Panics\n"), Vec::<usize>::new());
    assert_eq!(misplaced("/// # Errors\n/// ```\n/// # Panics\n/// ```\n/// # Panics\n"), [5]);
}

#[test]
fn sections_stand_in_one_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for package in ["runtime", "macros", "dashboard", "temporal"] {
        sources(&root.join(format!("offload-{package}/src")), &mut found);
    }
    let faults: Vec<String> = found
        .iter()
        .flat_map(|path| {
            let lines = misplaced(&fs::read_to_string(path).unwrap());
            lines.into_iter().map(move |line| format!("{}:{line}", path.display()))
        })
        .collect();
    assert!(found.len() > 100 && faults.is_empty(), "{faults:#?}");
}
