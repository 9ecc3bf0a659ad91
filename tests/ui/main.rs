//! Misuse and its messages: every file in `fail` documents one rule beside its `.stderr`. What is in `pass` compiles.
//!
//! `TRYBUILD=overwrite cargo test -p ui` writes the messages anew. Read them before you keep them.

#[test]
fn refusals_teach() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*/*.rs");
    cases.pass("pass/*/*.rs");
}
