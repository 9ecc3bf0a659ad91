//! Whatever it is given, the attribute answers with tokens that parse, and never panics.
//!
//! The input is every function of the dependencies that cargo has unpacked, and mutations of some of them.

use super::expand;
use crate::expansion as blocking;
use crate::tokens::{as_group, is_body, is_ident, is_punct, list};
use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const OPTIONS: [&str; 14] = [
    "",
    "executor = io",
    "handle",
    "boxed",
    "sync = the_twin",
    "executor = self.pool(&a, b)?, sync = the_twin, boxed",
    "crate = my::offload, executor = &*POOL",
    "executor = \"io\", sync",
    "boxed = '_ + ?Send, refused = panic",
    "boxed, sync = Self::the_twin",
    "with(inner = self.inner.clone(), r#type = a), panicked = f",
    "sync = the_twin, impl(Find<K>)",
    "handle, impl()",
    "executor = self.pool(a), wait, refused = f",
];

/// A debug build must be done in this time; what is left over is skipped, and said.
const LIMIT: Duration = Duration::from_secs(40);

#[test]
fn every_function_of_the_dependencies_expands() {
    let began = Instant::now();
    let (mut functions, mut expanded, mut files) = (0_usize, 0_usize, 0_usize);
    for file in in_any_order(sources()) {
        if began.elapsed() > LIMIT {
            break;
        }
        let Some(tokens) = std::fs::read_to_string(&file).ok().and_then(|text| text.parse::<TokenStream>().ok()) else {
            continue;
        };
        files += 1;
        let mut found = Vec::new();
        collect_functions(tokens, &mut found);
        for function in found {
            let options = OPTIONS[functions % OPTIONS.len()];
            functions += 1;
            expanded += usize::from(check(options, &function, &file));
        }
    }
    println!("totality: {functions} functions of {files} files, {expanded} without an error, in {:?}", began.elapsed());
    assert!(functions > 2_000, "only {functions} functions were found");
    assert!(expanded > functions / 3, "only {expanded} of {functions} functions were accepted");
}

#[test]
fn mutated_functions_expand_or_are_refused() {
    let mut random = Random(0x5DEE_CE66_D1CE_5EED);
    let seeds = [
        "#[cfg(unix)] pub(crate) unsafe fn find<'a, T: Clone + Send, const N: usize>(&'a self, (a, mut b): (u8, T), \
         c: Option<&str>, d: Cow<'_, [u8; N]>) -> Result<impl Iterator<Item = T>, Error> where T: Default \
         { let x = self.n; println!(\"{self} {x}\"); x }",
        "fn f(mut self: Arc<Self>, f: impl for<'a> Fn(&'a str) -> &'a str, _: Foo<{ N }>) { #![allow(x)] macro_rules! m { ($self:ident) => { $self } } impl X { fn g(self) {} } }",
        "fn r#try<'r#fn, #[cfg(unix)] 'b: 'r#fn, #[cfg(unix)] r#type: Into<Vec<u8>>, const N: usize>(&'r#fn self, #[into] r#match: Vec<u8>, \
         #[as_ref] path: &Path, r#in: Option<&'r#fn str>, #[cfg(unix)] State(a): State<u8>, Point { x, y: mut up, .. }: Point) \
         -> Result<impl Fn(&'static str) -> u8, r#type> { let r#self_ = 1; r#match.len() }",
        "#[tracing::instrument(skip(a))] fn f<'a, T>(self: &'a Arc<Users<'a, T>>, (a, b): (A, B), Cow(c): Cow<'a, T>, d: &mut dyn FnMut()) -> T { a.await }",
        "impl<K> Find<K> for Users { #[blocking(sync = g)] fn f(&self) {} #[cfg_attr(unix, blocking)] fn h() {} }",
        "fn look_up(&self, word: &str, at: fn(&str) -> usize) -> Option<Vec<Box<dyn Any + Send>>>;",
    ];
    let mut count = 0;
    for round in 0..12_000 {
        let seed: TokenStream = seeds[round % seeds.len()].parse().unwrap();
        let mut item = list(seed);
        let mut args = list(OPTIONS[random.below(OPTIONS.len())].parse().unwrap());
        for _ in 0..=random.below(3) {
            mutate(&mut item, &mut random);
        }
        let spoils_options = random.below(4) == 0;
        if spoils_options {
            mutate(&mut args, &mut random);
        }
        // It must come back. What was no Rust before need not be Rust behind, nor is an executor's expression looked at.
        let answer = blocking(args.iter().cloned().collect(), item.iter().cloned().collect());
        assert!(item.is_empty() || !answer.is_empty());
        let before: TokenStream = item.into_iter().collect();
        if !spoils_options && parses(&before) {
            assert!(parses(&answer), "of {before}\ncame {answer}");
        }
        count += 1;
    }
    println!("totality: {count} mutated functions");
}

#[test]
fn tokens_without_meaning_are_answered() {
    let mut random = Random(42);
    for _ in 0..4_000 {
        let soup = |random: &mut Random| -> TokenStream { (0..random.below(12)).map(|_| token(random, 2)).collect() };
        let _ = blocking(soup(&mut random), soup(&mut random));
    }
    assert!(!expand("", "").is_empty());
}

/// Expands one function; whether it was accepted. What was Rust before must be Rust behind.
fn check(options: &str, function: &TokenStream, file: &Path) -> bool {
    let answer = blocking(options.parse().unwrap(), function.clone());
    let text = answer.to_string();
    if !parses(&answer) {
        assert!(!parses(function), "in {}: of {function}\nwith {options} came {text}", file.display());
    }
    !text.contains("compile_error")
}

/// Whether `syn` can make something of it in some place where functions stand.
fn parses(items: &TokenStream) -> bool {
    let places = [quote!(impl X { #items }), quote!(trait X { #items }), items.clone()];
    places.into_iter().any(|place| syn::parse2::<syn::File>(place).is_ok())
}

/// Every `fn` with a name, at any depth, with the attributes and words before it.
fn collect_functions(tokens: TokenStream, found: &mut Vec<TokenStream>) {
    let tokens = list(tokens);
    for at in 0..tokens.len() {
        if let TokenTree::Group(group) = &tokens[at] {
            collect_functions(group.stream(), found);
        }
        let is_function = is_ident(tokens.get(at), "fn") && matches!(tokens.get(at + 1), Some(TokenTree::Ident(_)));
        if !is_function {
            continue;
        }
        let start = start_of(&tokens, at);
        let end = (at..tokens.len()).find(|&end| is_body(&tokens, end) || is_punct(tokens.get(end), ';'));
        if let Some(end) = end {
            found.push(tokens[start..=end].iter().cloned().collect());
        }
    }
}

fn start_of(tokens: &[TokenTree], mut at: usize) -> usize {
    const WORDS: [&str; 6] = ["pub", "const", "async", "unsafe", "extern", "default"];
    while at > 0 {
        let is_word = matches!(&tokens[at - 1], TokenTree::Ident(word) if WORDS.contains(&word.to_string().as_str()));
        let is_abi =
            matches!(&tokens[at - 1], TokenTree::Literal(_)) && at > 1 && is_ident(tokens.get(at - 2), "extern");
        let is_scope = as_group(tokens.get(at - 1), Delimiter::Parenthesis).is_some()
            && at > 1
            && is_ident(tokens.get(at - 2), "pub");
        let is_attribute =
            as_group(tokens.get(at - 1), Delimiter::Bracket).is_some() && at > 1 && is_punct(tokens.get(at - 2), '#');
        at -= match () {
            () if is_word => 1,
            () if is_abi || is_scope || is_attribute => 2,
            () => break,
        };
    }
    at
}

/// The Rust files of all packages of the lock file that are on this machine: at least the packages that the tests need.
fn sources() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).expect("cargo has a home");
    let registries = std::fs::read_dir(home.join("registry/src")).expect("the dependencies come from a registry");
    let registries: Vec<_> = registries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.lock");
    let lock = std::fs::read_to_string(lock).expect("the workspace has a lock file");
    let mut files = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key| Some(package.lines().find_map(|line| line.strip_prefix(key))?.trim_matches('"'));
        let (Some(name), Some(version)) = (value("name = "), value("version = ")) else { continue };
        for registry in &registries {
            collect_files(&registry.join(format!("{name}-{version}/src")), &mut files);
        }
    }
    files
}

/// Mixes them, always in the same way, so that what fits into the time is of all of them.
fn in_any_order(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for at in (1..files.len()).rev() {
        files.swap(at, random.below(at + 1));
    }
    files
}

fn collect_files(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A small generator, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits fit") % end.max(1)
    }
}

/// Deletes, doubles, swaps, replaces, wraps or cuts off, somewhere.
fn mutate(tokens: &mut Vec<TokenTree>, random: &mut Random) {
    if tokens.is_empty() {
        tokens.push(token(random, 1));
        return;
    }
    let at = random.below(tokens.len());
    let other = random.below(tokens.len());
    if let (TokenTree::Group(group), true) = (&tokens[at], random.below(2) == 0) {
        let mut inside = list(group.stream());
        mutate(&mut inside, random);
        tokens[at] = Group::new(group.delimiter(), inside.into_iter().collect()).into();
        return;
    }
    match random.below(7) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[other].clone()),
        2 => tokens.swap(at, other),
        3 => tokens[at] = token(random, 2),
        4 => tokens.insert(at, token(random, 2)),
        5 if is_fragment(&tokens[at]) => tokens[at] = Group::new(Delimiter::None, tokens[at].clone().into()).into(),
        _ => tokens.truncate(at),
    }
}

/// Whether a `macro_rules!` fragment that leaves a group without delimiters could be just this token.
fn is_fragment(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => name.to_string().starts_with(char::is_uppercase),
        TokenTree::Group(_) | TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => false,
    }
}

/// Some token.
fn token(random: &mut Random, depth: usize) -> TokenTree {
    const WORDS: [&str; 32] = [
        "self",
        "Self",
        "fn",
        "impl",
        "mut",
        "for",
        "where",
        "dyn",
        "async",
        "const",
        "unsafe",
        "extern",
        "pub",
        "_",
        "crate",
        "r#type",
        "executor",
        "sync",
        "handle",
        "boxed",
        "static",
        "Option",
        "Cow",
        "macro_rules",
        "r#fn",
        "cfg",
        "blocking",
        "await",
        "with",
        "refused",
        "into",
        "gen",
    ];
    match random.below(if depth == 0 { 3 } else { 5 }) {
        0 => match WORDS[random.below(WORDS.len())] {
            word if word.starts_with("r#") => Ident::new_raw(&word[2..], Span::call_site()).into(),
            word => Ident::new(word, Span::call_site()).into(),
        },
        1 => {
            let ch = b"&<>:;,.-='#!|+*?$@"[random.below(18)].into();
            Punct::new(ch, if random.below(2) == 0 { Spacing::Alone } else { Spacing::Joint }).into()
        }
        2 => ["\"{self}\"", "1", "'c'", "0x1F", "r#\"{self:?}\"#", "1.5"][random.below(6)]
            .parse::<TokenStream>()
            .unwrap()
            .into_iter()
            .next()
            .unwrap(),
        // A lifetime, raw or not, in the group that a fragment leaves.
        3 => {
            let tick = Punct::new('\'', Spacing::Joint);
            let name =
                [Ident::new("a", Span::call_site()), Ident::new_raw("fn", Span::call_site())][random.below(2)].clone();
            Group::new(Delimiter::None, [TokenTree::from(tick), name.into()].into_iter().collect()).into()
        }
        _ => {
            let delimiter =
                [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None][random.below(4)];
            let inside = (0..random.below(5)).map(|_| token(random, depth - 1)).collect();
            Group::new(delimiter, inside).into()
        }
    }
}
