//! `/lines?path=...`: real files counted, and every way not to name one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use super::client::Web;

/// A folder `served`, and a file `secret` beside it.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree =
            Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder for tests can be written"));
        fs::create_dir_all(tree.root().join("folder")).unwrap();
        fs::write(tree.0.path().join("secret"), "one\n").unwrap();
        tree.write("three", b"1\n2\n3\n");
        tree
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("served")
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.root().join(name), content).unwrap();
    }

    fn serve(&self) -> Web {
        Web::serving(&self.root())
    }
}

fn lines(web: &Web, path: &str) -> (u16, String) {
    web.get(&format!("/lines?path={path}"))
}

#[test]
fn lines_are_counted() {
    let tree = Tree::new();
    tree.write("empty", b"");
    tree.write("unfinished", b"1\n2");
    tree.write("blank", b"\n\n");
    tree.write("folder/binary", b"\xff\xfe\n\0\n");
    tree.write("large", &b"0123456789abcde\n".repeat(100_000));
    symlink("three", tree.root().join("link")).unwrap();
    let web = tree.serve();
    for (path, count) in [
        ("three", 3),
        ("empty", 0),
        ("unfinished", 2),
        ("blank", 2),
        ("folder/binary", 2),
        ("large", 100_000),
        ("link", 3),
        ("./three", 3),
        ("folder/../three", 3),
        ("folder//binary", 2),
    ] {
        assert_eq!(lines(&web, path), (200, format!("{count}\n")), "for {path}");
    }
}

#[test]
fn names_are_percent_decoded() {
    let tree = Tree::new();
    tree.write("a b", b"1\n");
    tree.write("100%", b"1\n2\n");
    tree.write("a+b&c=d", b"1\n2\n3\n");
    tree.write("größe", b"1\n2\n3\n4\n");
    let web = tree.serve();
    for (path, count) in [("a%20b", 1), ("a+b", 1), ("100%25", 2), ("a%2Bb%26c%3Dd", 3), ("gr%C3%B6%C3%9Fe", 4)] {
        assert_eq!(lines(&web, path), (200, format!("{count}\n")), "for {path}");
    }
    assert_eq!(web.get("/lines?other=1&path=three"), (200, "3\n".into()));
}

#[test]
fn a_file_of_the_workspace_is_counted() {
    let path = "offload-runtime/Cargo.toml";
    let text = fs::read_to_string(crate::process::workspace().join(path)).unwrap();
    assert_eq!(lines(&Web::start(), path), (200, format!("{}\n", text.lines().count())));
}

#[test]
fn a_missing_file_is_a_404() {
    let tree = Tree::new();
    symlink("nowhere", tree.root().join("dangling")).unwrap();
    let web = tree.serve();
    for path in ["nothing", "nothing/three", "folder/three", "dangling", "three/inside", "nothing/../three"] {
        assert_eq!(lines(&web, path).0, 404, "for {path}");
    }
}

#[test]
fn a_path_that_leaves_the_root_is_a_400() {
    let tree = Tree::new();
    symlink("../secret", tree.root().join("out")).unwrap();
    symlink("..", tree.root().join("up")).unwrap();
    symlink("/", tree.root().join("folder/slash")).unwrap();
    let web = tree.serve();
    let absolute = tree.root().join("three").display().to_string();
    for path in [
        "../secret",
        "..",
        "folder/../../secret",
        "%2e%2e/secret",
        "..%2Fsecret",
        "/etc/passwd",
        "//etc/passwd",
        absolute.as_str(),
        "../served/three",
        "out",
        "up/secret",
        "folder/slash/etc/passwd",
        // The same whether there is something outside or not.
        "../nothing",
        "up/nothing",
        "folder/slash/nothing",
        "/nothing",
    ] {
        let (status, body) = lines(&web, path);
        assert_eq!(status, 400, "for {path}: {body}");
    }
    // What it says is the same, too.
    assert_eq!(lines(&web, "../secret"), lines(&web, "../nothing"));
    assert_eq!(lines(&web, "up/secret"), lines(&web, "up/nothing"));
}

#[test]
fn what_is_no_file_is_a_400() {
    let tree = Tree::new();
    let pipe = tree.root().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let web = tree.serve();
    for path in ["folder", ".", "", "folder/..", "three/..", "pipe"] {
        assert_eq!(lines(&web, path).0, 400, "for `{path}`");
    }
}

#[test]
fn what_is_no_path_is_a_400() {
    let tree = Tree::new();
    let web = tree.serve();
    let long = "a".repeat(300);
    for path in ["%FF", "three%00", long.as_str()] {
        assert_eq!(lines(&web, path).0, 400, "for {path}");
    }
    for target in ["/lines", "/lines?", "/lines?path", "/lines?file=three"] {
        assert_eq!(web.get(target).0, 400, "for {target}");
    }
}

#[test]
fn another_error_of_the_file_system_is_a_500() {
    let tree = Tree::new();
    symlink("circle", tree.root().join("circle")).unwrap();
    assert_eq!(lines(&tree.serve(), "circle").0, 500);
}
