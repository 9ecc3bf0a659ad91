//! Code as it stands while it is being typed: the item stays, with its final signature.
//!
//! The compiler calls the attribute only if the item has balanced brackets, an editor calls it always.

use super::snapshots::check;
use super::{expand, messages};

#[test]
fn a_half_typed_body_is_passed_on() {
    check(
        "half_typed_body",
        "",
        "fn find(&self, email: &str) -> Option<User> { let user = self. ; match self.users.get( }"
            .replace("get( }", "get() }")
            .as_str(),
    );
}

#[test]
fn a_half_typed_result_keeps_the_item() {
    check("half_typed_result", "", "pub fn find(&self, email: &str) -> { self.users }");
}

#[test]
fn a_half_typed_argument_keeps_the_others() {
    check("half_typed_argument", "", "fn find(&self, email: &str, limit, when: ) -> usize { 1 }");
}

/// The compiler refuses it, in its own words and at the user's own tokens.
#[test]
fn a_default_of_a_type_parameter_stays_where_it_was() {
    let item = "fn find<T = u8, U: Into<Vec<T>> = (u8, T), V: = T>(&self, key: U, value: V) -> T;";
    check("boxed_defaults", "boxed", item);
}

#[test]
fn a_broken_rule_keeps_signature_and_body() {
    check(
        "broken_rule",
        "executor = \"io\"",
        "fn find(&self, (a, b): (u8, u8), mut n: usize) -> usize { n += 1; self.n + n }",
    );
    check("broken_rule_handle", "handle, timeout", "fn find(&self, n: usize) -> usize { self.n + n }");
    check("broken_rule_boxed", "boxed", "fn find(&self, n: &[&str]) -> usize { self.n + n.len() }");
}

#[test]
fn unfinished_items_are_passed_on_with_one_error() {
    for item in [
        "",
        "fn",
        "fn find",
        "pub fn find<T",
        "#[must_use] pub(crate)",
        "async",
        "fn find<",
        "unsafe extern \"C\"",
        "fn () {}",
    ] {
        let tokens = expand("", item);
        assert_eq!(messages(&tokens).len(), 1, "{item}: {tokens}");
        let kept: proc_macro2::TokenStream = item.parse().unwrap();
        assert!(tokens.to_string().starts_with(&kept.to_string()), "{item}: {tokens}");
    }
}

#[test]
fn unfinished_options_are_one_error_each() {
    for (args, count) in
        [("executor", 1), ("executor =", 1), ("sync =, handle", 1), (",", 1), ("= io", 1), ("executor = , sync", 2)]
    {
        assert_eq!(messages(&expand(args, "fn find(&self) {}")).len(), count, "{args}");
    }
}
