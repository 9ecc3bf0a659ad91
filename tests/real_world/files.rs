//! `std::fs`: a folder behind any executor, with `io::Result`, whose error takes a refusal in.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use offload_runtime::{Error, Executor, Inline, ThreadPool, blocking};

use crate::support::{Scratch, closed};

#[derive(Clone)]
struct Folder<E> {
    io: E,
    root: Arc<Path>,
}

impl<E> Folder<E>
where
    E: Executor + Clone + 'static,
{
    const DRAFT: &'static str = "draft";

    /// The contents of a file.
    #[blocking(executor = io)]
    fn read(&self, name: &Path) -> io::Result<Vec<u8>> {
        fs::read(self.root.join(name))
    }

    /// Replaces a file as a whole: a reader sees the old contents or the new ones.
    #[blocking(executor = io)]
    fn replace(&self, name: impl AsRef<Path> + Send + 'static, contents: &[u8]) -> io::Result<()> {
        let target = self.root.join(name);
        let draft = target.with_extension(Self::DRAFT);
        let mut file = File::create(&draft)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(draft, target)
    }

    /// Appends a line and returns the new length.
    #[blocking(executor = io)]
    fn append<'a>(&'a self, name: Cow<'_, str>, line: &'a str) -> io::Result<u64> {
        let mut file = OpenOptions::new().append(true).create(true).open(self.root.join(&*name))?;
        writeln!(file, "{line}")?;
        file.metadata().map(|metadata| metadata.len())
    }

    /// How many bytes there are in all files below `folder`.
    #[blocking(executor = io, sync = size_sync)]
    fn size(&self, folder: &Path) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            bytes += if entry.file_type()?.is_dir() {
                self.size_sync(&folder.join(entry.file_name()))?
            } else {
                entry.metadata()?.len()
            };
        }
        Ok(bytes)
    }

    /// The first `at_most` files with this extension that have a line with `word`, or any line at all.
    #[blocking(executor = io)]
    fn search(self: &Arc<Self>, extension: &OsStr, word: Option<&str>, mut at_most: usize) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        'files: for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.extension() != Some(extension) {
                continue;
            }
            for line in BufReader::new(File::open(&path)?).lines() {
                let line = line?;
                if word.is_none_or(|word| line.contains(word)) {
                    if at_most == 0 {
                        break 'files;
                    }
                    at_most -= 1;
                    found.push(path);
                    continue 'files;
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Where pages come from: a trait for `dyn`, with nothing but the attribute.
trait Source: Send + Sync {
    #[blocking(boxed)]
    fn page(&self, name: &Path) -> io::Result<String>;
}

impl<E> Source for Folder<E>
where
    E: Executor + Clone + 'static,
{
    #[blocking(boxed, executor = io)]
    fn page(&self, name: &Path) -> io::Result<String> {
        fs::read_to_string(self.root.join(name))
    }
}

/// A source that has one page, and uses the default executor.
#[derive(Clone)]
struct Single(&'static str);

impl Source for Single {
    #[blocking(boxed, executor = offload_runtime::default_executor())]
    fn page(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }
}

#[derive(Debug, Default, PartialEq)]
struct Settings {
    port: u16,
    name: String,
}

/// Reads `key = value` lines.
#[blocking(executor = disk)]
fn settings(disk: &ThreadPool, path: &Path) -> anyhow::Result<Settings> {
    let text = fs::read_to_string(path).with_context(|| format!("no settings in `{}`", path.display()))?;
    let mut settings = Settings::default();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((key, value)) = line.split_once('=') else {
            bail!("line {number}: `{line}` is not `key = value`");
        };
        match (key.trim(), value.trim()) {
            ("port", value) => settings.port = value.parse().with_context(|| format!("line {number}"))?,
            ("name", value) => value.clone_into(&mut settings.name),
            (key, _) => bail!("line {number}: unknown key `{key}`"),
        }
    }
    Ok(settings)
}

/// Removes a file; a missing one is not an error.
#[blocking]
fn remove(path: PathBuf) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn folder(scratch: &Scratch) -> Folder<ThreadPool> {
    Folder { io: ThreadPool::new(2), root: scratch.path().into() }
}

#[tokio::test]
async fn what_was_written_is_read() {
    let scratch = Scratch::new("written-is-read");
    let folder = folder(&scratch);
    folder.replace("a.txt", b"first").await.unwrap();
    folder.replace(PathBuf::from("a.txt"), b"second").await.unwrap();
    assert_eq!(folder.read(Path::new("a.txt")).await.unwrap(), b"second");
    assert_eq!(folder.read(Path::new("a.draft")).await.unwrap_err().kind(), io::ErrorKind::NotFound);

    assert_eq!(folder.append("log".into(), "one").await.unwrap(), 4);
    assert_eq!(folder.append(Cow::Owned(String::from("log")), "three").await.unwrap(), 10);
    assert_eq!(folder.read("log".as_ref()).await.unwrap(), b"one\nthree\n");
}

#[tokio::test]
async fn a_tree_is_walked_through_the_synchronous_twin() {
    let scratch = Scratch::new("tree");
    let folder = folder(&scratch);
    fs::create_dir_all(scratch.path().join("a/b")).unwrap();
    for (name, length) in [("one", 1), ("a/two", 20), ("a/b/three", 300)] {
        folder.replace(name, &vec![0; length]).await.unwrap();
    }
    assert_eq!(folder.size(Path::new("")).await.unwrap(), 321);
    assert_eq!(folder.size(Path::new("a")).await.unwrap(), 320);
    assert_eq!(folder.size_sync(Path::new("a/b")).unwrap(), 300);
}

#[test]
fn any_executor_will_do() {
    let scratch = Scratch::new("any-executor");
    let folder = Arc::new(Folder { io: Inline, root: scratch.path().into() });
    pollster::block_on(async {
        for (name, text) in [("a.md", "tea\n"), ("b.md", "no\ncoffee\n"), ("c.md", ""), ("d.txt", "coffee\n")] {
            folder.replace(name, text.as_bytes()).await.unwrap();
        }
        let search = async |word, at_most| folder.search("md".as_ref(), word, at_most).await.unwrap();
        assert_eq!(search(None, 9).await, ["a.md", "b.md"].map(|name| scratch.path().join(name)));
        assert_eq!(search(Some("coffee"), 9).await, [scratch.path().join("b.md")]);
        assert_eq!(search(None, 1).await.len(), 1);
        assert_eq!(search(None, 0).await, [] as [PathBuf; 0]);
    });
}

#[tokio::test]
async fn sources_of_two_kinds_are_asked_in_turn() {
    let scratch = Scratch::new("sources");
    let folder = folder(&scratch);
    folder.replace("a.txt", b"from the folder").await.unwrap();
    let sources: [Arc<dyn Source>; 2] = [Arc::new(folder), Arc::new(Single("from nowhere"))];
    let first = async move |name: &'static str| {
        for source in &sources {
            match source.page(name.as_ref()).await {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                page => return page,
            }
        }
        Err(io::ErrorKind::NotFound.into())
    };
    let pages = tokio::spawn(async move { (first("a.txt").await, first("b.txt").await) }).await.unwrap();
    assert_eq!((pages.0.unwrap(), pages.1.unwrap()), ("from the folder".into(), "from nowhere".into()));
}

#[tokio::test]
async fn anyhow_keeps_the_context_of_the_body() {
    let scratch = Scratch::new("settings");
    let (folder, disk) = (folder(&scratch), ThreadPool::new(1));
    let path = scratch.path().join("settings");

    folder.replace("settings", b"port = 80\nname = tea house").await.unwrap();
    assert_eq!(settings(&disk, &path).await.unwrap(), Settings { port: 80, name: "tea house".into() });

    folder.replace("settings", b"name = x\nport = many").await.unwrap();
    let error = settings(&disk, &path).await.unwrap_err();
    assert_eq!(error.to_string(), "line 2");
    assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());

    folder.replace("settings", b"colour").await.unwrap();
    let error = settings(&disk, &path).await.unwrap_err();
    assert_eq!(error.to_string(), "line 1: `colour` is not `key = value`");

    assert!(remove(path.clone()).await.unwrap());
    assert!(!remove(path.clone()).await.unwrap());
    let error = settings(&disk, &path).await.unwrap_err();
    assert_eq!(error.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn a_refusal_is_inside_the_io_error() {
    let scratch = Scratch::new("refused");
    let folder = Folder { io: closed(), root: scratch.path().into() };
    let error = folder.read(Path::new("a.txt")).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Other);
    assert!(matches!(error.downcast::<Error>(), Ok(Error::ShutDown)));
}

#[tokio::test]
async fn a_refusal_is_inside_the_anyhow_error() {
    let error = settings(&closed(), Path::new("never read")).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Error::ShutDown)));
}
