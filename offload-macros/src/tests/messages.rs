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
            "take `u8` by value",
            "take `Vec<String>`",
            "the result borrows",
        ],
    );
}

#[test]
fn a_call_that_waits_takes_nothing_before_there_is_room() {
    let item = "fn find(&self, key: &str) -> u8 { 1 }";
    refused("wait, handle", item, &["`handle` submits in the call itself"]);
    refused("wait, boxed = '_", item, &["with a lifetime, `boxed` takes the arguments in the call itself"]);
    refused("wait, remote", "fn find(&self, key: &str) -> u8 { 1 }", &["a remote executor has no line to wait in"]);
    refused("wait = 5", item, &["`wait` takes no value; write `wait` alone"]);
    refused("reserve", item, &["unknown option `reserve`; did you mean `wait`?"]);
    for options in ["wait", "wait, boxed", "wait, sync = find_sync", "wait, refused = panic, with(a = self.a.clone())"]
    {
        accepted(options, item);
    }
}

#[test]
fn borrows_are_found_wherever_they_are() {
    for (ty, advice) in [
        ("Vec<&str>", "take `Vec<String>`"),
        ("&&str", "take `String`"),
        ("&[&str]", "take `Vec<String>`"),
        ("&[&Path]", "take `Vec<PathBuf>`"),
        ("(&str, u8)", "take `(String, u8)`"),
        ("[&str; 2]", "take `[String; 2]`"),
        ("&[Cow<'_, str>]", "take `Vec<Cow<'_, str>>`"),
        ("Box<dyn Fn() + '_>", "take what the body needs out of it"),
        ("Option<Option<&str>>", "take `Option<Option<String>>`"),
        ("Foo<'a>", "`Foo<'a>` borrows from the caller"),
        ("State<'_, App>", "`State<'_, App>` borrows from the caller"),
        ("fn(&'a str)", "borrows from the caller"),
        ("impl Iterator<Item = &str>", "take `impl Iterator<Item = String>`"),
        ("Result<u8, &str>", "take `Result<u8, String>`"),
        ("Option<Vec<&u8>>", "take `Option<Vec<u8>>`"),
        ("HashMap<&str, &[u8]>", "take `HashMap<String, Vec<u8>>`"),
        ("Cow<'_, [&str]>", "take `Cow<'_, [String]>`"),
        ("&(dyn Fn() + 'a)", "take `Box<dyn Fn() + 'a + Send>`"),
        ("Ref<'_, u8>", "`Ref<'_, u8>` borrows from the caller"),
        ("Box<dyn FnOnce(u8) -> u8 + 'a>", "take what the body needs out of it"),
    ] {
        refused("", &format!("fn f(&self, x: {ty}) {{}}"), &[advice]);
    }
    for (ty, advice) in [
        ("&mut u8", "take `u8` by value and return it"),
        ("&'a mut u8", "take `u8` by value and return it"),
        ("Option<&mut [u8]>", "take `Vec<u8>` by value and return it"),
        ("&mut [u8]", "take `Vec<u8>` by value and return it"),
        ("&mut str", "take `String` by value and return it"),
        ("&mut dyn FnMut(u8)", "take `Box<dyn FnMut(u8) + Send>`"),
        ("&mut impl FnMut(u8)", "take `impl FnMut(u8) + Send + 'static` by value"),
        ("&dyn Display", "take `Arc<dyn Display + Send + Sync>`"),
        ("Option<&dyn Display>", "take `Arc<dyn Display + Send + Sync>`"),
    ] {
        refused("", &format!("fn f(&self, x: {ty}) {{}}"), &[advice]);
    }
    for (ty, advice) in [
        ("&str", "return `String`"),
        ("Vec<&str>", "return `Vec<String>`"),
        ("Foo<'_>", "return a value that owns what it needs"),
        ("Box<dyn Any + 'a>", "return a value that owns what it needs"),
        ("Cow<'_, str>", "return a value that owns what it needs"),
    ] {
        refused("", &format!("fn f(&self) -> {ty} {{ loop {{}} }}"), &[advice]);
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
        "impl Fn(&str) -> &str + Send + 'static",
        "impl Key + AsRef<str>",
        "impl Send",
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
        accepted("", &format!("fn f(&self) -> {ty} {{ loop {{}} }}"));
    }
}

#[test]
fn an_impl_trait_that_may_borrow_gets_its_bounds_suggested() {
    for (ty, advice) in [
        ("impl Fn(&str) -> u8", "write `impl Fn(&str) -> u8 + Send + 'static`"),
        ("impl Display + Send", "write `impl Display + Send + 'static`"),
        ("impl FnOnce() + 'static", "write `impl FnOnce() + 'static + Send`"),
        ("impl AsRef<Path>", "write `impl AsRef<Path> + Send + 'static`, or take `#[as_ref] ..: &Path`"),
        ("impl Into<Vec<u8>> + Send", "or take `#[into] ..: Vec<u8>`"),
    ] {
        refused("", &format!("fn f(&self, x: {ty}) {{}}"), &[advice]);
    }
}

#[test]
fn what_surely_belongs_to_a_thread_is_refused() {
    for (ty, advice) in [
        ("Rc<u8>", "take `Arc<u8>`"),
        ("Vec<std::rc::Rc<Foo>>", "take `Arc<Foo>`"),
        ("Box<dyn Fn(&str) -> u8>", "take `dyn Fn(&str) -> u8 + Send`"),
        ("Option<Box<dyn Any>>", "take `dyn Any + Send`"),
    ] {
        refused("", &format!("fn f(&self, x: {ty}) {{}}"), &[advice]);
    }
    refused("", "fn f(&self) -> io::Result<Rc<u8>> { loop {} }", &["return `Arc<u8>`"]);
    refused("", "fn f(&self) -> Box<dyn Fn()> { loop {} }", &["return `dyn Fn() + Send`"]);
    accepted("", "fn f(&self, x: Box<dyn Job>, y: fn(Rc<u8>) -> Box<dyn Fn()>, z: Box<dyn Fn(Rc<u8>) + Send>) {}");
}

#[test]
fn a_local_error_is_refused_at_its_bound() {
    refused(
        "",
        "fn f(&self) -> Result<u8, Box<dyn std::error::Error>> { loop {} }",
        &["return `dyn std::error::Error + Send + Sync`"],
    );
    accepted("", "fn f(&self) -> Result<u8, Box<dyn Error + Send + Sync>> { loop {} }");
}

#[test]
fn an_iterator_that_would_block_in_the_callers_hands_is_refused() {
    for (ty, advice) in [
        ("impl Iterator<Item = u8>", "return `Vec<u8>`"),
        ("impl Iterator<Item = io::Result<String>> + Send", "return `Vec<io::Result<String>>`"),
        ("io::Result<impl DoubleEndedIterator<Item = Row>>", "return `Vec<Row>`"),
        ("Box<dyn Iterator<Item = u8> + Send>", "return `Vec<u8>`"),
        ("io::Lines<BufReader<File>>", "`.collect()`"),
        ("io::Result<fs::ReadDir>", "`.collect()`"),
    ] {
        refused("", &format!("fn f(&self) -> {ty} {{ loop {{}} }}"), &[advice]);
    }
    accepted("", "fn f(&self) -> impl Fn(u8) -> Box<dyn Iterator<Item = u8>> { loop {} }");
}

#[test]
fn receivers_are_distinguished() {
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
        "self: Arc<Service>",
        "self: &Arc<Store<K, 2>>",
        "self: Box<Service>",
        "self: &Service",
        "self: Service",
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
        ("self: [Self; 1]", "not known"),
        ("self: &&Self", "not known"),
    ] {
        refused("", &format!("fn f({receiver}) {{}}"), &[part]);
    }
}

#[test]
fn options_are_distinguished() {
    for args in [
        "",
        "executor = io",
        "executor = io,",
        "executor = self.a.b, sync = x",
        "executor = pool::<A, B>(1, 2), handle",
        "boxed, executor = <P as Pools<A, B>>::io()",
        "crate = a::b",
        "crate = crate::b",
        "executor = 0",
        "handle",
        "boxed",
        "boxed = '_",
        "boxed = ?Send",
        "boxed = 'a + ?Send",
        "refused = panic",
        "refused = Error::from_refusal, panicked = |panic| Error::Panic(panic)",
        "with(inner = self.inner.clone())",
        "with(a = x::<A, B>(), b = 2,), executor = io",
        "sync = Find::f_sync",
        "sync = Self::f_sync",
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
        ("self.pool", "write `executor = self.pool`"),
        ("\"pool\"", "write `executor = pool`"),
        ("pools::IO", "write `executor = pools::IO`"),
        ("self.pool(key)", "write `executor = self.pool(key)`"),
        ("&*POOL", "write `executor = &*POOL`"),
        ("Inline", "write `executor = Inline`"),
        ("timeout = 5", "unknown option `timeout`; expected `executor`"),
        ("executer = io", "did you mean `executor = ...`"),
        ("handl", "did you mean `handle`"),
        ("pool = io", "did you mean `executor = ...`"),
        ("krate = a", "did you mean `crate = ...`"),
        ("dyn", "did you mean `boxed`"),
        ("handle()", "takes no value"),
        ("executor: io", "write `executor = io`"),
        ("executor = 'a'", "write `executor = io`"),
        ("executor = 1.5", "write `executor = io`"),
        ("sync = 1", "expected a name"),
        ("boxed = yes", "expected a lifetime or `?Send`"),
        ("boxed = ?Sync", "or `boxed = ?Send`"),
        ("with = a", "write `with(inner = self.inner.clone())`"),
        ("with(a)", "write `with(inner = self.inner.clone())`"),
        ("with(a = 1), sync = g", "cannot stand together"),
        ("handle, refused = panic", "remove this option, or `handle`"),
        ("handle, panicked = f", "remove this option, or `handle`"),
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
fn a_self_that_borrows_is_refused_where_the_block_shows_it() {
    refused("impl(&)", "fn f(&self) -> u8 { self.n }", &["own the fields"]);
    refused("impl(& Find<K>)", "fn f(self) -> u8 { self.n }", &["own the fields"]);
    accepted("impl(&)", "fn f(&self) -> u8 { 1 }");
    accepted("impl(&), with(n = self.n)", "fn f(&self) -> u8 { n }");
    accepted("impl()", "fn f(&self) -> u8 { self.n }");
    let expanded = expand("", "impl<'a> A<&'a u8> for B<'a> { #[blocking] fn f(&self) {} }").to_string();
    assert!(expanded.contains("impl (& A < & 'a u8 >)"), "{expanded}");
    let expanded = expand("", "impl B<'static> { #[blocking] fn f(&self) {} }").to_string();
    assert!(expanded.contains("impl ()"), "{expanded}");
}

#[test]
fn a_type_parameter_is_no_executor() {
    refused("executor = E", "fn f<E: Executor>(&self) {}", &["write a value of it, `executor = E::default()`"]);
    accepted("executor = E::default()", "fn f<E: Executor + Default>(&self) {}");
    accepted("executor = E", "fn f(&self) {}");
}

#[test]
fn a_method_that_async_trait_has_rewritten_is_reported_and_kept() {
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
        ("impl A { fn f() {} }", "no method in this block is marked"),
        ("pub trait A {}", "no method in this block is marked"),
        ("const N: u8 = 1;", "`const`"),
        ("let x = 1;", "`let`"),
        ("static A: u8 = 1;", "`static`"),
    ] {
        refused("", item, &[part]);
    }
    accepted("", "pub(in self::a) default unsafe fn f(self) where Self: Sized {}");
}

#[test]
fn an_await_in_the_body_is_an_error_at_the_await() {
    let part = "await in the caller";
    refused("", "fn f(&self) -> u8 { self.other().await }", &[part]);
    refused("", "fn f(&self) -> u8 { if true { g(self.other().await) } else { 1 } }", &[part]);
    accepted("", "fn f(&self) { let g = async move { h().await }; async fn k() { h().await } block_on(g) }");
    accepted("", "fn f(&self) -> u8 { select! { x = a.await => x } }");
}

#[test]
fn a_question_mark_without_a_result_is_an_error_at_the_question_mark() {
    for (result, shown) in [("", "`()`"), ("-> usize", "`usize`"), ("-> (u8, String)", "`(u8, String)`")] {
        refused("", &format!("fn f(&self) {result} {{ if true {{ self.g()?; }} loop {{}} }}"), &[shown]);
    }
    accepted("", "fn f(&self) -> Option<u8> { self.g()? }");
    accepted("", "fn f(&self) -> Parsed { self.g()? }");
    accepted("", "fn f(&self) -> usize { self.all(|x| Some(x?)); fn g() -> Option<u8> { h()? } 1 }");
    accepted("", "fn f(&self) { macro_rules! m { ($(x)?) => { a? } } struct A<T: ?Sized>(T); }");
    accepted("", "fn f(&self) { block_on(async { g()? }); attempt!(g()?); fn h<T: ?Sized>() {} }");
}

#[test]
fn the_order_of_a_test_attribute_is_explained() {
    refused("", "#[test] fn f() {}", &["write `#[tokio::test]` below `#[blocking]`"]);
    refused("", "#[::core::prelude::v1::test] fn f() {}", &["write `#[tokio::test]` below `#[blocking]`"]);
    accepted("", "#[tokio::test] fn f() {}");
    refused("", "async fn f() {}", &["`#[tokio::test]`, stands below `#[blocking]`"]);
}

#[test]
fn conversions_are_distinguished() {
    accepted("", "fn f(&self, #[into] key: Vec<u8>, #[as_ref] path: &Path, #[into] mut n: u64) {}");
    refused("", "fn f(&self, #[into] key: &[u8]) {}", &["write `#[into] ..: Vec<u8>`"]);
    refused("", "fn f(&self, #[as_ref] path: PathBuf) {}", &["write `#[as_ref] ..: &PathBuf`, or `#[into]`"]);
}

#[test]
fn a_block_gives_its_options_to_the_methods_that_are_marked() {
    let expanded = |args: &str, item: &str| expand(args, item).to_string().replace(' ', "");
    let block = "impl<K: Fn() -> u8> Find<K> for Users<K> { #[doc = \"\"] #[blocking] fn a() {} #[x::blocking(sync = b_sync, handle)] \
                 fn b() {} fn c() {} #[cfg_attr(unix, blocking(executor = io))] fn d() {} }";
    assert_eq!(
        expanded("executor = pool::<A, B>(), handle", block),
        "impl<K:Fn()->u8>Find<K>forUsers<K>{#[doc=\"\"]#[blocking(executor=pool::<A,B>(),handle,impl(Find<K>))]fna(){}\
         #[x::blocking(sync=b_sync,handle,executor=pool::<A,B>(),impl(Find<K>))]fnb(){}fnc(){}\
         #[cfg_attr(unix,blocking(executor=io,handle,impl(Find<K>)))]fnd(){}}"
    );
    assert_eq!(expanded("", "pub trait A { #[blocking] fn a() {} }"), "pubtraitA{#[blocking(impl())]fna(){}}");
    refused("sync = x", "impl A { #[blocking] fn a() {} }", &["`sync` belongs to one method"]);
}

#[test]
fn a_yielder_that_is_not_marked_is_to_be_marked() {
    refused(
        "stream",
        "fn rows(&self, rows: &mut Yielder<u8>) -> Result<(), Error> { Ok(()) }",
        &["mark it: `#[out] ..: &mut Yielder<u8>`", "a stream is made of an iterator"],
    );
}

#[test]
fn a_conversion_that_is_wrong_is_one_error() {
    for item in
        ["fn size(&self, #[into] key: &str) -> usize { 1 }", "fn size(&self, #[as_ref] key: String) -> usize { 1 }"]
    {
        let expansion = expand("", item).to_string();
        assert!(!expansion.contains("# [into]") && !expansion.contains("# [as_ref]"), "{expansion}");
    }
}
