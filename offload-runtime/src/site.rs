//! Where in the source a job comes from: shown by panics, refusals, shutdown reports and metrics.
//!
//! `#[blocking]` builds a [`Site`] per method at compile time; `submit` takes its caller's location.

use std::fmt;
use std::panic::Location;

/// Where in the source a job comes from.
///
/// A job of a `#[blocking]` method knows the method's name, the type it belongs to and its module; a job given to
/// [`submit`](crate::ExecutorExt::submit) by hand knows the line that called `submit`. All of them know
/// file, line and column.
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, Inline, Job, Executor};
///
/// struct Printing;
/// impl Executor for Printing {
///     fn execute(&self, job: Job) {
///         println!("running a job from {}", job.site()); // e.g. `src/main.rs:11:1`
///         assert!(job.site().file().ends_with(".rs"));
///         job.run();
///     }
/// }
/// drop(Printing.submit(|| 1 + 1));
/// ```
#[derive(Clone, Copy)]
pub struct Site {
    name: Option<&'static str>,
    owner: Option<fn() -> &'static str>,
    module: Option<&'static str>,
    file: &'static str,
    line: u32,
    column: u32,
}

impl Site {
    /// The site of a method of `Owner`. Called by generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn method<Owner: ?Sized>(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
    ) -> Self {
        Self { owner: Some(std::any::type_name::<Owner>), ..Self::function(name, module, file, line, column) }
    }

    /// The site of a function that belongs to no type. Called by generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn function(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
    ) -> Self {
        Self { name: Some(name), owner: None, module: Some(module), file, line, column }
    }

    pub(crate) fn at(location: &'static Location<'static>) -> Self {
        Self {
            name: None,
            owner: None,
            module: None,
            file: location.file(),
            line: location.line(),
            column: location.column(),
        }
    }

    /// The name of the method or function, if the job comes from `#[blocking]`.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// The type that the method belongs to, as [`std::any::type_name`] writes it.
    ///
    /// `None` for a free function and for a job submitted by hand.
    #[must_use]
    pub fn type_name(&self) -> Option<&'static str> {
        self.owner.map(|name| name())
    }

    /// The module of the method, if the job comes from `#[blocking]`.
    #[must_use]
    pub const fn module_path(&self) -> Option<&'static str> {
        self.module
    }

    /// The source file, as the compiler was given it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// The column, counted from 1.
    #[must_use]
    pub const fn column(&self) -> u32 {
        self.column
    }
}

/// `Users::find` (the type without its modules), or `file:line:column` where there is no name.
impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.type_name(), self.name) {
            (Some(owner), Some(name)) => write!(f, "{}::{name}", without_modules(owner)),
            (None, Some(name)) => f.write_str(name),
            (_, None) => write!(f, "{}:{}:{}", self.file, self.line, self.column),
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(_) => write!(f, "{self} at {}:{}:{}", self.file, self.line, self.column),
            None => write!(f, "{self}"),
        }
    }
}

/// `app::db::Users<app::Key>` without the modules that lead to `Users`; arguments stay as they are.
fn without_modules(name: &str) -> &str {
    let path = name.find('<').map_or(name, |generics| &name[..generics]);
    path.rfind("::").map_or(name, |last| &name[last + 2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_shown_without_its_modules() {
        assert_eq!(without_modules("app::db::Users"), "Users");
        assert_eq!(without_modules("Users"), "Users");
        assert_eq!(without_modules("app::Users<app::Key>"), "Users<app::Key>");
        assert_eq!(without_modules("dyn app::Repo"), "Repo");
    }

    #[test]
    fn a_site_shows_its_method_or_its_place() {
        let method = Site::method::<Vec<u8>>("find", "app", "src/app.rs", 3, 5);
        assert_eq!(method.to_string(), "Vec<u8>::find");
        assert_eq!(format!("{method:?}"), "Vec<u8>::find at src/app.rs:3:5");
        let function = Site::function("find", "app", "src/app.rs", 3, 5);
        assert_eq!(function.to_string(), "find");
        let place = Site::at(Location::caller());
        assert!(place.to_string().contains("site.rs:"), "{place}");
        assert_eq!((place.name(), place.module_path(), place.type_name()), (None, None, None));
    }
}
