//! Misuse and its messages: every file in `fail` documents one rule beside its `.stderr`.
//!
//! `TRYBUILD=overwrite cargo test -p ui` writes the messages anew. Read them before you keep them.

#[test]
fn refusals_teach() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}
