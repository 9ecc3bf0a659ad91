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
/// use offload_runtime::{Executor, ExecutorExt, Job};
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
/// What is known of a method:
/// ```
/// use offload_runtime::{ThreadPool, blocking};
///
/// #[derive(Clone)]
/// struct Users { executor: ThreadPool }
///
/// impl Users {
///     #[blocking]
///     fn find(&self, id: u32) -> u32 { id }
/// }
///
/// let users = Users { executor: ThreadPool::new(1) };
/// pollster::block_on(users.find(7));
/// let site = users.executor.metrics().by_site()[0].site();
/// assert_eq!(site.name(), Some("find"));
/// assert!(site.type_name().unwrap().ends_with("Users"));
/// assert_eq!(site.module_path(), Some(module_path!()));
/// println!("{}:{}:{}", site.file(), site.line(), site.column());
/// ```
#[derive(Clone, Copy)]
pub struct Site {
    name: Option<&'static str>,
    owner: Option<Owner>,
    module: Option<&'static str>,
    file: &'static str,
    line: u32,
    column: u32,
}

/// What tells the type that a method belongs to. Names of types are not known to constants.
#[derive(Clone, Copy)]
enum Owner {
    /// The type's name.
    Type(fn() -> &'static str),
    /// The whole name of something inside the function, which may belong to a type.
    Path(fn() -> &'static str),
}

impl Site {
    /// The site of a method of `T`. Called by generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn method<T: ?Sized>(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
    ) -> Self {
        let owner = Some(Owner::Type(std::any::type_name::<T>));
        Self { name: Some(name), owner, module: Some(module), file, line, column }
    }

    /// The site of a function that belongs to no type.
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

    /// The site of a function that may belong to a type, as `path` tells. Called by generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn associated(
        name: &'static str,
        module: &'static str,
        path: fn() -> &'static str,
        file: &'static str,
        line: u32,
        column: u32,
    ) -> Self {
        Self { name: Some(name), owner: Some(Owner::Path(path)), module: Some(module), file, line, column }
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
        match (self.owner?, self.name, self.module) {
            (Owner::Type(name), _, _) => Some(name()),
            (Owner::Path(path), Some(name), Some(module)) => owner_in(path(), name, module),
            (Owner::Path(_), _, _) => None,
        }
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

/// What the function `name` of `module` stands in: `Users` of `app::Users::create::{{closure}}::here`.
///
/// An impl of a trait shows as `<app::Users as app::Find>::find`, one in another module as `app::<impl db::Users>::find`.
fn owner_in(path: &'static str, name: &str, module: &str) -> Option<&'static str> {
    let name = format!("::{name}::");
    let owner = &path[..path.find(&name)?];
    if let Some(owner) = owner.strip_prefix('<') {
        return owner.split(" as ").next();
    }
    let owner = owner.strip_prefix(module)?.strip_prefix("::")?;
    Some(owner.strip_prefix("<impl ").and_then(|owner| owner.strip_suffix('>')).unwrap_or(owner))
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
    fn an_associated_function_is_known_by_its_path() {
        let shown = |path| Site::associated("find", "app::db", path, "src/db.rs", 3, 5).to_string();
        assert_eq!(shown(|| "app::db::Users<_>::find::{{closure}}::here"), "Users<_>::find");
        assert_eq!(shown(|| "<app::db::Users<_> as app::Find>::find::here"), "Users<_>::find");
        assert_eq!(shown(|| "app::db::<impl app::Users>::find::here"), "Users::find");
        assert_eq!(shown(|| "app::db::find::here"), "find");
        assert_eq!(shown(|| "app::db::finder::find::here"), "finder::find");
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
