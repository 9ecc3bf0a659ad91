//! Rules that the compiler is not needed for: which mistakes are found, and that all of them are.

use super::{expand, messages};

#[track_caller]
fn refused(args: &str, item: &str, parts: &[&str]) {
    let found = messages(&expand(args, item));
    assert_eq!(found.len(), parts.len(), "{item}: {found:#?}");
    for (message, part) in found.iter().zip(parts) {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
        assert!(message.starts_with(|c: char| !c.is_uppercase()) && !message.ends_with('.'), "the form of `{message}`");
    }
}

#[track_caller]
fn accepted(args: &str, item: &str) {
    assert_eq!(messages(&expand(args, item)), [""; 0], "{item}");
}

#[test]
fn independent_mistakes_are_reported_together() {
    refused(
        "executor = \"io\", sync, timeout = 5",
        "const fn find(&mut self, a: &mut u8, b: &[&str]) -> &str { \"\" }",
        &[
            "write `executor = io`",
            "write `sync = find_sync`",
            "unknown option `timeout`",
            "remove `const`",
            "`&mut self`",
            "take it by value",
            "a borrow inside",
            "the result borrows",
        ],
    );
}

#[test]
fn borrows_are_found_wherever_they_are() {
    for ty in [
        "Vec<&str>",
        "&&str",
        "(&str, u8)",
        "[&str; 2]",
        "&[Cow<'_, str>]",
        "Box<dyn Fn() + '_>",
        "Option<Option<&str>>",
        "Foo<'a>",
        "fn(&'a str)",
        "impl Iterator<Item = &str>",
        "Result<u8, &str>",
        "Option<Vec<&u8>>",
        "Cow<'_, [&str]>",
        "&(dyn Fn() + 'a)",
        "Ref<'_, u8>",
        "Box<dyn FnOnce(u8) -> u8 + 'a>",
    ] {
        refused("", &format!("fn f(&self, x: {ty}) {{}}"), &["a borrow inside"]);
    }
    for ty in ["&mut u8", "&'a mut u8", "Option<&mut [u8]>"] {
        refused("", &format!("fn f(&self, x: {ty}) {{}}"), &["take it by value"]);
    }
    for ty in [
        "&str",
        "Vec<&str>",
        "Foo<'_>",
        "impl Iterator<Item = &u8>",
        "Box<dyn Iterator<Item = u8> + 'a>",
        "Cow<'_, str>",
    ] {
        refused("", &format!("fn f(&self) -> {ty} {{ todo!() }}"), &["the result borrows"]);
    }
}

#[test]
fn what_ties_nothing_to_the_caller_is_accepted() {
    for ty in [
        "&str",
        "&'a str",
        "Option<&str>",
        "std::option::Option<&'a T>",
        "Cow<'_, str>",
        "std::borrow::Cow<'a, [u8]>",
        "&'static str",
        "&'static [&'static str]",
        "Vec<&'static str>",
        "Cow<'static, str>",
        "&'static mut u8",
        "fn(&str) -> &str",
        "for<'b> fn(&'b str) -> &'b str",
        "impl Fn(&str) -> &str + Send",
        "Box<dyn Fn(&str, &u8) -> Vec<&u8> + Send>",
        "Box<dyn for<'b> FnMut(&'b str) -> Option<&'b str> + Send>",
        "[u8; { N & M }]",
        "[u8; N & M]",
        "&[u8; N]",
        "Arc<dyn Fn(&str) + Send + Sync + 'static>",
        "Foo<{ &N }>",
        "(&str)",
        "::std::path::PathBuf",
        "Option<fn(&str)>",
        "Result<fn(&str) -> &u8, String>",
    ] {
        accepted("", &format!("fn f<'a>(&self, x: {ty}, y: u8) {{}}"));
    }
    for ty in [
        "&'static str",
        "fn(&str) -> &str",
        "Box<dyn Fn(&str) -> &str + Send>",
        "Result<Vec<u8>, Box<dyn Error + Send>>",
        "impl Fn(&u8) -> bool + Send",
    ] {
        accepted("", &format!("fn f(&self) -> {ty} {{ todo!() }}"));
    }
}

#[test]
fn receivers_are_told_apart() {
    for receiver in [
        "self",
        "mut self",
        "&self",
        "&'a self",
        "self: Self",
        "self: &Self",
        "self: &'a Self",
        "self: Arc<Self>",
        "mut self: Arc<Self>",
        "self: std::sync::Arc<Self>",
        "self: ::std::sync::Arc<Self>",
        "self: &Arc<Self>",
        "self: &'a Arc<Self>",
        "self: Box<Self>",
        "#[cfg(all())] self",
    ] {
        accepted("", &format!("fn f({receiver}) {{}}"));
    }
    for (receiver, part) in [
        ("&mut self", "`&mut self`"),
        ("&'a mut self", "`&mut self`"),
        ("self: &mut Self", "`&mut self`"),
        ("self: &mut Arc<Self>", "`&mut self`"),
        ("self: Rc<Self>", "an `Rc`"),
        ("self: &std::rc::Rc<Self>", "an `Rc`"),
        ("self: Pin<&Self>", "pinned"),
        ("self: Pin<Arc<Self>>", "pinned"),
        ("self: Weak<Self>", "not known"),
        ("self: &Box<Self>", "not known"),
        ("self: Arc<Box<Self>>", "not known"),
        ("self: Alias", "not known"),
        ("self: &&Self", "not known"),
    ] {
        refused("", &format!("fn f({receiver}) {{}}"), &[part]);
    }
}

#[test]
fn options_are_told_apart() {
    for args in [
        "",
        "executor = io",
        "executor = io,",
        "executor = self.a.b, sync = x",
        "executor = pool::<A, B>(1, 2), handle",
        "boxed, executor = <P as Pools<A, B>>::io()",
        "crate = a::b",
        "crate = $crate::b",
        "executor = 0",
        "handle",
        "boxed",
        "executor = &*POOL",
        "executor = { let a = 1; pool(a) }",
        "executor = self.handle",
        "executor = if handle { &self.a } else { &self.b }",
        "executor = *handle, handle",
        "executor = pool(&mut handle)",
        "executor = { x as handle }",
    ] {
        accepted(args, "fn f(&self) {}");
    }
    for (args, part) in [
        ("io", "unknown option `io`"),
        ("pool = io", "did you mean `executor = ...`"),
        ("krate = a", "did you mean `crate = ...`"),
        ("dyn", "did you mean `boxed`"),
        ("handle()", "takes no value"),
        ("executor: io", "write `executor = io`"),
        ("executor = 'a'", "write `executor = io`"),
        ("executor = 1.5", "write `executor = io`"),
        ("sync = a::b", "expected a name"),
        ("crate = a + b", "expected a path"),
        ("sync = f", "write `sync = f_sync`"),
        ("boxed, boxed", "given twice"),
        ("&", "expected an option"),
        ("executor = io handle", "expected `,` before `handle`"),
        ("executor = self boxed", "expected `,` before `boxed`"),
        ("executor = self.pools[0] boxed", "expected `,` before `boxed`"),
        ("executor = 0 sync = g", "expected `,` before `sync`"),
        ("handle executor = io", "expected `,` before `executor`"),
    ] {
        refused(args, "fn f(&self) {}", &[part]);
    }
}

#[test]
fn what_async_trait_has_rewritten_is_told_so_and_left_alone() {
    let signature = "fn find<'life0, 'async_trait>(&'life0 self, n: &'life0 mut u8) \
        -> Pin<Box<dyn Future<Output = &'life0 str> + Send + 'async_trait>>";
    for args in ["", "boxed", "handle"] {
        let method = format!("{signature} {{ Box::pin(async move {{ 1 }}) }}");
        refused(args, &method, &["inside `#[async_trait]` write `#[blocking(boxed)] fn find(..)`"]);
        refused(args, &format!("{signature};"), &["declare `async fn find(..)` without `#[blocking]`"]);
        let expansion = expand(args, &format!("#[allow(unused)] {method}")).to_string();
        let unchanged = method.parse::<proc_macro2::TokenStream>().unwrap().to_string();
        assert!(expansion.ends_with(&unchanged), "{expansion}");
    }
    let associated = "fn make() -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>> { Box::pin(async { 1 }) }";
    refused("boxed", associated, &["remove `async`"]);
}

#[test]
fn only_functions_are_accepted() {
    for (item, part) in [
        ("struct A;", "`struct`"),
        ("impl A { fn f() {} }", "put it on each method"),
        ("pub trait A {}", "put it on each method"),
        ("const N: u8 = 1;", "`const`"),
        ("let x = 1;", "`let`"),
        ("static A: u8 = 1;", "`static`"),
    ] {
        refused("", item, &[part]);
    }
    accepted("", "pub(in self::a) default unsafe fn f(self) where Self: Sized {}");
}
