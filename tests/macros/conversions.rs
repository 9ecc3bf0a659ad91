//! `#[into]` and `#[as_ref]`: the caller gives what converts, and what it converts into crosses.

use crate::{Service, on_worker, run};
use offload_runtime::{JobHandle, blocking};
use std::path::{Path, PathBuf};
use std::rc::Rc;

impl Service {
    #[blocking(sync = put_sync)]
    fn put(&self, #[into] key: Vec<u8>, #[into] mut value: String, #[as_ref] path: &Path) -> (usize, String) {
        let key: Vec<u8> = key;
        let path: &Path = path;
        value.push('!');
        (key.len() + self.words.len() + path.as_os_str().len(), value)
    }

    #[blocking(handle)]
    fn at_once(&self, #[into] (a, _): (u8, u8), #[as_ref] bytes: &[u8]) -> usize {
        assert!(on_worker());
        usize::from(a) + bytes.len()
    }

    #[blocking(boxed)]
    fn boxed_into(&self, #[as_ref] text: &str, #[into] n: u64) -> usize {
        text.len() + usize::try_from(n).unwrap()
    }
}

/// Converts, and can neither be sent nor outlive its text.
struct Local<'a>(&'a str, Rc<()>);

impl From<Local<'_>> for String {
    fn from(local: Local<'_>) -> Self {
        drop(local.1);
        local.0.to_owned()
    }
}

impl AsRef<str> for Local<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

#[test]
fn nothing_is_asked_of_the_caller_but_the_conversion() {
    let service = Service::new();
    let text = "text".to_owned();
    let put = service.put([1, 2], Local(&text, Rc::new(())), PathBuf::from("p"));
    assert_eq!(run(put), (6, "text!".to_owned()));
    assert_eq!(service.put_sync("k", "text", "p"), (5, "text!".to_owned()));
    let handle: JobHandle<usize> = service.at_once([1, 2], &text);
    assert_eq!(run(handle).unwrap(), 5);
    let boxed = service.boxed_into(Local(&text, Rc::new(())), 3_u8);
    assert_eq!(run(boxed), 7);
}
