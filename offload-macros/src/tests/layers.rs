//! That an expansion goes one way: no module names one that comes after it.

use std::path::Path;

/// What each module may name stands before it.
const ORDER: [&str; 17] = [
    "errors",
    "tokens",
    "types",
    "attributes",
    "options",
    "function",
    "self_rewrite",
    "state",
    "arguments",
    "remote_rules",
    "stream",
    "plan",
    "signature",
    "crossing",
    "remote",
    "expand",
    "impl_block",
];

#[test]
fn no_module_names_one_that_comes_after_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let root = std::fs::read_to_string(source.join("lib.rs")).unwrap();
    let modules: Vec<&str> = root.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules.len(), ORDER.len() + 1, "all but `tests` have a place: {modules:?}");
    for (place, module) in ORDER.iter().enumerate() {
        let text = std::fs::read_to_string(source.join(module).with_extension("rs")).unwrap();
        for (at, _) in text.match_indices("crate::").filter(|(at, _)| !text[..*at].ends_with("my_")) {
            let named = &text[at + "crate::".len()..];
            let named = named.split(|ch: char| !ch.is_alphanumeric() && ch != '_').next().unwrap();
            let order = ORDER.iter().position(|module| *module == named);
            assert!(order.is_some_and(|order| order < place), "`{module}` names `{named}`");
        }
    }
}
