//! Misuse of `remote` and its messages: every file in `ui` documents one rule beside its `.stderr`.
//!
//! `TRYBUILD=overwrite cargo test -p tests-process --test ui` writes the messages anew. Read them before you keep them.

#[test]
fn refusals_teach() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
