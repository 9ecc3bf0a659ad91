//! Each link of each Markdown file leads to a file and a heading that exist, so that the pages can be read where the repository is browsed.
//! `sections.rs` reads the pages of the crates.

mod sections;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{BrokenLink, Event, Options, Parser, Tag, TagEnd};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The Markdown files under `folder`, but for what builds and version control keep there.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || name.starts_with("target") || name == "mutants.out" {
            continue;
        }
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The anchors of a page's headings, as the usual hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let (mut anchors, mut heading) = (BTreeSet::new(), None::<String>);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
                let heading = heading.take().unwrap_or_default().to_lowercase();
                anchors.insert(heading.chars().filter(kept).collect::<String>().replace(' ', "-"));
            }
            _ => {}
        }
    }
    anchors
}

/// What is wrong with a link of `page` to `target`, if anything.
fn fault(page: &Path, target: &str) -> Option<&'static str> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { page.to_path_buf() } else { page.parent().unwrap().join(file) };
    if !path.exists() {
        return Some("no such file");
    }
    let missing = !anchor.is_empty() && !anchors(&fs::read_to_string(path).unwrap()).contains(anchor);
    missing.then_some("no such heading")
}

#[test]
fn links_lead_somewhere() {
    let mut found = Vec::new();
    pages(root(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    let mut faults = Vec::new();
    for page in found.iter().filter(|page| !page.ends_with("guide/links.md")) {
        let (text, name) =
            (fs::read_to_string(page).unwrap(), page.strip_prefix(root()).unwrap().display().to_string());
        let mut undefined = |link: BrokenLink<'_>| {
            // `[x]` in prose is not a link; `` [`x`] `` is meant to be one.
            if link.reference.starts_with('`') {
                faults.push(format!("{name}: [{}] is not defined", link.reference));
            }
            None
        };
        let parser = Parser::new_with_broken_link_callback(&text, Options::ENABLE_TABLES, Some(&mut undefined));
        let targets: Vec<String> = parser
            .filter_map(|event| match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
                _ => None,
            })
            .collect();
        faults.extend(
            targets.iter().filter_map(|target| fault(page, target).map(|fault| format!("{name}: {target}: {fault}"))),
        );
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// In a chapter, `links.md` comes first in the crate's documentation. A label that it lacks would lead to a source file there.
#[test]
fn every_label_of_a_chapter_has_its_item() {
    let guide = root().join("offload-runtime/src/guide");
    let links = fs::read_to_string(guide.join("links.md")).unwrap();
    let parser = Parser::new(&links);
    let items: BTreeSet<&str> = parser.reference_definitions().iter().map(|(label, _)| label).collect();
    let mut found = Vec::new();
    pages(&guide, &mut found);
    let mut used = BTreeSet::new();
    for page in found.iter().filter(|page| !page.ends_with("links.md")) {
        let text = fs::read_to_string(page).unwrap();
        for (label, definition) in Parser::new(&text).reference_definitions().iter() {
            if definition.dest.contains("://") {
                continue; // the same in both
            }
            assert!(items.contains(label), "{}: [{label}] is not in links.md", page.display());
            used.insert(label.to_owned());
        }
    }
    let unused: Vec<_> = items.iter().filter(|item| !used.contains(**item)).collect();
    assert!(unused.is_empty(), "in no chapter: {unused:?}");
}
