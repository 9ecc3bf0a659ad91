//! `#[blocking(remote)]` in all its forms, on any remote executor.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use offload_runtime::remote::RemoteExecutor;
use offload_runtime::{Error, blocking};
use pollster::block_on;
use serde::{Deserialize, Serialize};

/// An error that crosses, and has a place for refusals.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScaleError {
    /// With what is wrong.
    Bad(String),
    /// The executor's.
    Refused(String),
}

impl From<Error> for ScaleError {
    fn from(error: Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// A point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

/// A service, whose executor may be of any kind. It is not `Clone`, and need not be.
#[derive(Debug)]
pub struct Pictures<E> {
    /// Where its methods run.
    pub workers: E,
}

impl<E: RemoteExecutor> Pictures<E> {
    /// Borrowed and owned, with `?` in the body.
    #[blocking(remote, executor = workers)]
    pub fn scale(&self, picture: &[u8], mut edge: u32) -> Result<Vec<u8>, ScaleError> {
        edge += 1;
        let first = picture.first().ok_or_else(|| ScaleError::Bad("empty".to_owned()))?;
        Ok(vec![*first; usize::try_from(edge).map_err(|_| ScaleError::Bad("large".to_owned()))?])
    }

    /// Strings, paths, and values that may not be there.
    #[blocking(remote, executor = workers)]
    pub fn describe(&self, name: &str, path: &Path, note: Option<&str>, tail: Cow<'_, str>) -> String {
        format!("{name} {} {} {tail}", path.display(), note.unwrap_or("-"))
    }

    /// Structures, borrowed and owned.
    #[blocking(remote, executor = workers)]
    pub fn shift(&self, points: &[Point], by: Point) -> Vec<Point> {
        points.iter().map(|point| Point { x: point.x + by.x, y: point.y + by.y }).collect()
    }

    /// Nothing in, nothing out.
    #[blocking(remote, executor = self.workers)]
    pub fn nothing(&self) {}

    /// A handle, a chosen name, a conversion.
    #[blocking(remote, executor = workers, handle, name = "pictures.length")]
    pub fn length(&self, #[into] text: String) -> usize {
        text.len()
    }

    /// The same at another path, with a lifetime that has a name.
    #[blocking(remote, executor = workers)]
    pub fn longest<'a>(&self, #[as_ref] a: &Path, b: &'a Path) -> PathBuf {
        let longer = if a.as_os_str().len() > b.as_os_str().len() { a } else { b };
        longer.to_owned()
    }

    /// A panic.
    #[blocking(remote, executor = workers)]
    pub fn fails(&self, why: &str) -> u32 {
        panic!("{why}")
    }
}

/// Calls all of them, and checks what comes back.
///
/// # Panics
/// If that is not what the bodies say.
pub fn behave_as_written(workers: impl RemoteExecutor) {
    let pictures = Pictures { workers };
    block_on(async {
        assert_eq!(pictures.scale(&[7, 8], 2).await, Ok(vec![7; 3]));
        assert_eq!(pictures.scale(&[], 2).await, Err(ScaleError::Bad("empty".into())));
        let described = pictures.describe("a", Path::new("/tmp/x"), Some("b"), "c".into()).await;
        assert_eq!(described, "a /tmp/x b c");
        assert_eq!(pictures.describe("a", Path::new("x"), None, String::new().into()).await, "a x - ");
        let points = [Point { x: 1, y: 2 }];
        assert_eq!(pictures.shift(&points, Point { x: 10, y: 20 }).await, [Point { x: 11, y: 22 }]);
        pictures.nothing().await;
        assert_eq!(pictures.length("four").await.unwrap(), 4);
        assert_eq!(pictures.longest("abc", Path::new("de")).await, Path::new("abc"));
    });
    let panics = std::panic::AssertUnwindSafe(|| block_on(pictures.fails("out of cheese")));
    let payload = std::panic::catch_unwind(panics).unwrap_err();
    assert!(payload.downcast::<String>().unwrap().starts_with("out of cheese"));
}
