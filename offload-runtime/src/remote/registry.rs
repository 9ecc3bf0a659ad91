//! The functions of this program that can be called remotely, by name. Collected at link time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
#[cfg(feature = "process")]
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::Location;
use std::sync::LazyLock;

use super::codec::{Failure, Format};
use super::pack::Unpacker;
use crate::site::Site;

/// A function that can be called remotely. Made by generated code, one per method.
#[derive(Debug)]
pub struct Function {
    module: &'static str,
    name: &'static str,
    /// `name` was chosen by the user and stands alone.
    named: bool,
    /// The names of its types.
    #[cfg_attr(not(feature = "process"), expect(dead_code, reason = "child processes alone compare it"))]
    signature: fn() -> &'static str,
    run: fn(&mut Unpacker<'_>) -> Result<Vec<u8>, Failure>,
    site: Site,
    #[cfg(feature = "process")]
    fingerprint: std::sync::OnceLock<Fingerprint>,
}

/// What the linker collects.
#[doc(hidden)]
#[derive(Debug)]
pub struct Registration(pub &'static Function);

inventory::collect!(Registration);

impl Function {
    /// `module::name`; or `name` alone, if the user chose it.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn new(
        module: &'static str,
        name: &'static str,
        named: bool,
        signature: fn() -> &'static str,
        run: fn(&mut Unpacker<'_>) -> Result<Vec<u8>, Failure>,
    ) -> Self {
        let place = Location::caller();
        let site = Site::function(name, module, place.file(), place.line(), place.column());
        Self {
            module,
            name,
            named,
            signature,
            run,
            site,
            #[cfg(feature = "process")]
            fingerprint: std::sync::OnceLock::new(),
        }
    }

    pub(super) fn name(&self) -> String {
        if self.named { self.name.to_owned() } else { format!("{}::{}", self.module, self.name) }
    }

    /// Where it stands in the source, for the worker's side.
    pub(super) fn site(&'static self) -> &'static Site {
        &self.site
    }

    /// Decodes the arguments, runs the body and encodes its result.
    pub(super) fn run(&self, format: Format, arguments: &[u8]) -> Result<Vec<u8>, Failure> {
        (self.run)(&mut Unpacker::new(format, arguments))
    }

    #[cfg(feature = "process")]
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| hash((self.name(), (self.signature)())))
    }
}

/// A hash of a function's name and of the names of its types: what a child process finds the function by.
#[cfg(feature = "process")]
pub(crate) type Fingerprint = u64;

#[cfg(feature = "process")]
fn hash(value: impl Hash) -> u64 {
    // Its keys are fixed, so that parent and child agree.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The functions of this program.
pub(crate) struct Registry {
    by_name: HashMap<String, &'static Function>,
    #[cfg(feature = "process")]
    by_fingerprint: HashMap<Fingerprint, &'static Function>,
    /// Why no call may be made.
    clash: Option<String>,
}

/// The functions of this program.
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> =
        LazyLock::new(|| Registry::of(inventory::iter::<Registration>().map(|registration| registration.0)));
    &REGISTRY
}

impl Registry {
    fn of(functions: impl Iterator<Item = &'static Function>) -> Self {
        let (mut by_name, mut clash) = (HashMap::new(), None);
        for function in functions {
            match by_name.entry(function.name()) {
                Entry::Vacant(free) => {
                    free.insert(function);
                }
                Entry::Occupied(taken) => {
                    let mut places =
                        [taken.get().site, function.site].map(|site| format!("{}:{}", site.file(), site.line()));
                    places.sort();
                    clash = Some(format!(
                        "two remote functions are named `{}`, at {} and {}: give one of them another `name = \"...\"`",
                        taken.key(),
                        places[0],
                        places[1],
                    ));
                }
            }
        }
        Self {
            #[cfg(feature = "process")]
            by_fingerprint: by_name
                .values()
                .map(|function: &&'static Function| (function.fingerprint(), *function))
                .collect(),
            by_name,
            clash,
        }
    }

    /// The error of two functions with one name, if there are any.
    pub(crate) fn clash(&self) -> Option<&str> {
        self.clash.as_deref()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&'static Function> {
        self.by_name.get(name).copied()
    }

    #[cfg(feature = "process")]
    pub(crate) fn find_fingerprint(&self, fingerprint: Fingerprint) -> Option<&'static Function> {
        self.by_fingerprint.get(&fingerprint).copied()
    }

    /// The same in two processes that have the same functions.
    #[cfg(feature = "process")]
    pub(crate) fn hash(&self) -> u64 {
        let mut all: Vec<_> = self.by_fingerprint.keys().collect();
        all.sort_unstable();
        hash(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(module: &'static str, name: &'static str, named: bool) -> &'static Function {
        Box::leak(Box::new(Function::new(module, name, named, || "fn(u32) -> u32", |_| Ok(Vec::new()))))
    }

    #[test]
    fn a_function_is_found_by_its_module_and_name_or_by_the_chosen_name() {
        let registry =
            Registry::of([function("app::db", "find", false), function("app", "pictures.scale", true)].into_iter());
        assert!(registry.find("app::db::find").is_some());
        assert!(registry.find("pictures.scale").is_some());
        assert!(registry.find("find").is_none());
        assert_eq!(registry.clash(), None);
    }

    #[test]
    fn two_functions_of_one_name_are_an_error_that_names_both_places() {
        let registry = Registry::of([function("app", "x", true), function("other", "x", true)].into_iter());
        let clash = registry.clash().unwrap();
        assert!(clash.contains("`x`") && clash.matches("registry.rs:").count() == 2, "{clash}");
    }

    #[cfg(feature = "process")]
    #[test]
    fn the_hash_tells_registries_apart_and_does_not_depend_on_their_order() {
        let (a, b) = (function("app", "a", false), function("app", "b", false));
        let hash = |functions: &[&'static Function]| Registry::of(functions.iter().copied()).hash();
        assert_eq!(hash(&[a, b]), hash(&[b, a]));
        assert_ne!(hash(&[a, b]), hash(&[a]));
    }
}
