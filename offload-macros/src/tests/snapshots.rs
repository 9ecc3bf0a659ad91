//! Snapshots of expansions, in `snapshots/`. `BLESS=1 cargo test -p offload-macros` writes them anew.

use super::{expand, pretty};
use std::path::Path;

#[track_caller]
pub(super) fn check(name: &str, args: &str, item: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name).with_extension("rs");
    let found = pretty(&expand(args, item));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).expect("the snapshots can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == found, "`{name}` expands to\n{found}\nwhile its snapshot is\n{kept}");
}

#[test]
fn the_smallest_method() {
    check(
        "smallest",
        "",
        "/// Looks a user up.
        pub fn find(&self, email: &str) -> Option<User> { self.users.get(email).cloned() }",
    );
}

#[test]
fn every_kind_of_argument() {
    check(
        "arguments",
        "executor = io",
        "fn call(&self, owned: Vec<u8>, mut changed: u32, (a, _): (A, B), _: Permit, _: &str, path: &Path,
            limit: Option<&u32>, name: Cow<'_, str>, callback: fn(&str) -> usize, fixed: &'static str,
            #[cfg(unix)] only: u8) -> io::Result<u64> { Ok(0) }",
    );
}

#[test]
fn every_receiver() {
    for (name, receiver) in [
        ("self_value", "mut self"),
        ("self_arc", "self: Arc<Self>"),
        ("self_ref_arc", "self: &Arc<Self>"),
        ("self_box", "self: Box<Self>"),
    ] {
        check(name, "", &format!("fn count({receiver}) -> usize {{ self.n }}"));
    }
}

#[test]
fn a_free_function() {
    check("free", "", "pub(crate) fn hash(password: &str) -> String { argon(password) }");
    check("free_expression", "executor = &*POOL", "fn hash(password: &str) -> String { argon(password) }");
}

#[test]
fn the_other_outputs() {
    let item = "fn find<'a, T: Clone + Send, const N: usize>(&'a self, key: &T, tags: [u8; N]) -> Option<User>
        where Self: Sized { self.find_in(key, &tags) }";
    check("sync", "sync = find_sync", item);
    check("handle", "handle", item);
    check("wait", "wait", item);
    check("boxed", "boxed", item);
    check(
        "boxed_declaration",
        "boxed",
        "fn find(&self, key: &str, by: Cow<'_, str>, f: impl Fn(&str) -> &str,
            all: &impl Iterator<Item = impl Into<User> + Send>) -> Option<User>;",
    );
}

#[test]
fn attributes_are_sent_on_purpose() {
    check(
        "attributes",
        "sync = load_sync",
        "/// Loads.\n#[cfg(unix)] #[must_use] #[doc(hidden)] #[clippy::msrv = \"1\"] #[other::skip] #[rustfmt::skip]
        #[cfg_attr(unix, inline, tracing::instrument, doc = \"x\")] #[cfg_attr(unix, traced)] #[expect(unused_variables)] #[allow(clippy::all)] #[tracing::instrument(skip(self))]
        #[track_caller] pub fn load(&self) -> u8 { #![allow(unused_mut)] 1 }",
    );
}

#[test]
fn names_in_the_code_of_another_attribute_are_read() {
    check(
        "code_in_strings",
        "",
        r##"#[cached(key = "String", convert = r#"{ format!("{}{}", name, n) }"#)]
        fn load(&self, name: &str, n: u32, other: u8) -> u8 { 1 }"##,
    );
}

#[test]
fn options_on_the_way() {
    check(
        "options",
        "executor = POOL, refused = Failure::busy, panicked = |panic| Failure::from(panic), with(db = self.db.clone())",
        "fn load(&self, #[into] mut key: Vec<u8>, #[as_ref] path: &Path, State(app): State<App>) -> Result<u8, Failure> { 1 }",
    );
    check("boxed_elided", "boxed = '_ + ?Send", "fn load(&self, key: &str) -> u8 { self.n }");
    check("sync_in_a_trait", "sync = Find<K>::load_sync", "fn load(&self, (a, mut b): (u8, u8)) -> u8 { self.n }");
    check(
        "sync_into",
        "sync = Self::load_sync",
        "fn load(#[into] mut key: Vec<u8>, #[into] (a, _): (u8, u8)) -> u8 { 1 }",
    );
}

#[test]
fn a_state_is_lent() {
    check(
        "state",
        "executor = db, sync = insert_sync",
        "fn insert(&self, #[state] conn: &mut Connection, text: &str) -> Result<i64, Error> { conn.insert(self.table, text) }",
    );
    check(
        "state_shared",
        "boxed, executor = DB",
        "fn count(#[state] (conn, cache): &(Connection, Cache), id: u32) -> u64 { 1 }",
    );
}

#[test]
fn self_in_a_body() {
    check(
        "self_in_a_body",
        "",
        r#"fn run(&self) {
            use self::helper as h;
            println!("{self:?} {} {{self}}", self.n);
            info!(target: "db", n = self.n, "{self}");
            sql!("{self}");
            println!("{}", "{self}");
            assert!(is::<A, B>(self), "{self:>3}");
            assert_eq!(self.n, "{self}", "{self}");
            struct Inner(pub(self) u8);
            impl Inner { fn get(&self) -> u8 { self.0 } }
            fn nested(&self) -> [u8; { N }] { self.x }
            macro_rules! get { ($self:ident) => { $self.n + self.m } }
            let v = vec![self.n];
            self::helper(|| self.n)
        }"#,
    );
    check(
        "words_in_a_macro",
        "",
        "fn run(&self) {
            sql!(use db; select self.n);
            html!(<p impl=self.a mod=self.b>self.c</p>);
            route!(mod admin self.d { self.e });
            when!(impl self.f { self.g });
            items! { use self::x; mod m { use super::other; } impl A for B { fn f(&self) { self.own } } self.h }
            use super::{self, x}; self.i
        }",
    );
}

#[test]
fn unsafe_and_unusual_names() {
    check(
        "unsafe_raw",
        "sync = r#try",
        "unsafe fn r#match(&self, r#type: &str, executor: u8, this: u8) -> u8 { r#type.len() }",
    );
}

#[test]
fn streams() {
    check(
        "stream",
        "stream",
        "fn lines(&self, path: &Path) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> { open(path) }",
    );
    check(
        "stream_out",
        "stream, executor = io, refused = Failure::busy, panicked = Failure::from",
        "fn export(&self, id: u32, #[out] rows: &mut Yielder<Row>) -> Result<(), Failure> { self.send_all(id, rows) }",
    );
    check(
        "stream_state",
        "stream, executor = db",
        "fn export(&self, #[state] conn: &mut Connection, id: u32, #[out] rows: &mut Yielder<Row>) -> Result<(), Error> { send_all(conn, id, rows) }",
    );
    check("stream_static", "stream, executor = POOL", "fn count(n: u32) -> Range<u32> { 0..n }");
}
