//! Every kind of argument crosses, and has its declared type inside of the body.

use crate::{Service, run};
use offload_runtime::blocking;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
struct Point {
    x: i32,
    y: i32,
}

struct Unit;

impl Service {
    #[blocking]
    fn owned(&self, text: String, numbers: Vec<u32>, map: HashMap<String, u32>) -> usize {
        let text: String = text;
        let numbers: Vec<u32> = numbers;
        text.len() + numbers.len() + map.len()
    }

    #[blocking]
    fn mutable(&self, mut n: u32, mut text: String) -> String {
        n += 1;
        text.push('!');
        format!("{text}{n}")
    }

    #[blocking]
    fn patterns(
        &self,
        (a, (b, _)): (u32, (u32, String)),
        Point { x, y: mut up }: Point,
        [first, .., last]: [u8; 4],
        &Point { x: side, .. }: &Point,
        ref text: String,
        whole @ (_, part): (u8, u8),
        Unit: Unit,
        _: u8,
    ) -> String {
        up += 1;
        let text: &String = text;
        format!("{a} {b} {x} {up} {first} {last} {side} {text} {whole:?} {part}")
    }

    #[blocking]
    #[deny(unused_mut)]
    fn mutable_patterns(
        &self,
        (ref mut a, b): (u32, u32),
        Point { ref mut x, ref y }: Point,
        ref mut numbers: Vec<u32>,
        [[ref mut first, ..], _]: [[u8; 2]; 2],
    ) -> String {
        *a += b;
        *x += *y;
        numbers.push(*a);
        *first += 1;
        format!("{a} {x} {numbers:?} {first}")
    }

    #[blocking]
    fn borrowed(&self, text: &str, bytes: &[u8], path: &Path, name: &OsStr, c: &CStr, point: &Point) -> String {
        let text: &str = text;
        let bytes: &[u8] = bytes;
        let path: &Path = path;
        let name: &OsStr = name;
        let c: &CStr = c;
        let point: &Point = point;
        format!("{text} {bytes:?} {path:?} {name:?} {c:?} {point:?}")
    }

    #[blocking]
    fn borrowed_sized(
        &self,
        text: &String,
        list: &Vec<u8>,
        path: &PathBuf,
        array: &[u8; 2],
        rows: &[[u8; 2]],
    ) -> usize {
        let list: &Vec<u8> = list;
        let array: &[u8; 2] = array;
        text.len() + list.len() + path.as_os_str().len() + array.len() + rows.len()
    }

    #[blocking]
    #[expect(unused_qualifications, reason = "the form under test")]
    fn optional(
        &self,
        text: Option<&str>,
        point: std::option::Option<&Point>,
        none: Option<&[u8]>,
        owned: Option<u8>,
    ) -> String {
        let text: Option<&str> = text;
        let point: Option<&Point> = point;
        format!("{text:?} {point:?} {none:?} {owned:?}")
    }

    #[blocking]
    #[expect(unused_qualifications, reason = "the form under test")]
    fn cow(&self, text: Cow<'_, str>, mut bytes: std::borrow::Cow<'_, [u8]>, fixed: Cow<'static, str>) -> String {
        bytes.to_mut().push(3);
        let text: Cow<'_, str> = text;
        format!("{text} {bytes:?} {fixed}")
    }

    #[blocking]
    fn named<'a, 'b: 'a>(&self, text: &'a str, more: Option<&'b str>, cow: Cow<'a, str>) -> usize {
        text.len() + more.map_or(0, str::len) + cow.len()
    }

    #[blocking]
    fn impl_trait(
        &self,
        shown: impl Display + Send + 'static,
        names: impl IntoIterator<Item = String> + Send + 'static,
        by_ref: &(impl AsRef<str> + Clone + Send + Sync + 'static),
    ) -> String {
        format!("{shown} {} {}", names.into_iter().count(), by_ref.as_ref())
    }

    #[blocking]
    fn functions(
        &self,
        plain: fn(&str) -> usize,
        ranked: for<'a> fn(&'a str) -> &'a str,
        boxed: Box<dyn Fn(&str) -> &str + Send>,
        once: Box<dyn FnOnce(u8) -> u8 + Send>,
    ) -> usize {
        plain(ranked("four")) + boxed("four").len() + usize::from(once(1))
    }

    #[blocking]
    fn closure(
        &self,
        f: impl for<'a> Fn(&'a str) -> &'a str + Send + 'static,
        g: impl FnOnce() -> u8 + Send + 'static,
    ) -> (usize, u8) {
        (f("four").len(), g())
    }

    #[blocking]
    fn shared(&self, object: Arc<dyn Display + Send + Sync>, borrowed: &Arc<dyn Display + Send + Sync>) -> String {
        let borrowed: &Arc<dyn Display + Send + Sync> = borrowed;
        format!("{object}{borrowed}")
    }

    #[blocking]
    fn fixed(&self, text: &'static str, list: &'static [&'static str], option: Option<&'static str>) -> &'static str {
        option.unwrap_or(if list.is_empty() { text } else { list[0] })
    }

    #[blocking]
    fn arrays(&self, list: [String; 2], tuple: (u8, String), unit: (), bytes: Box<[u8]>) -> usize {
        let () = unit;
        list.len() + usize::from(tuple.0) + bytes.len()
    }

    #[blocking]
    fn none(&self) {}

    #[blocking]
    #[rustfmt::skip]
    #[expect(unused_parens, reason = "the form under test")]
    fn parenthesised(&self, text: (&str), point: &(Point)) -> usize {
        text.len() + usize::from(point.x == 1)
    }
}

#[test]
fn owned_values_are_moved() {
    let service = Service::new();
    let map = HashMap::from([("a".to_owned(), 1)]);
    assert_eq!(run(service.owned("text".to_owned(), vec![1, 2], map)), 7);
    assert_eq!(run(service.mutable(1, "n".to_owned())), "n!2");
    assert_eq!(run(service.arrays([String::new(), String::new()], (3, String::new()), (), Box::new([1]))), 6);
    run(service.none());
}

#[test]
fn patterns_bind_on_the_worker() {
    let point = Point { x: 3, y: 4 };
    let shown = run(Service::new().patterns(
        (1, (2, String::new())),
        point.clone(),
        [5, 0, 0, 6],
        &point,
        "t".into(),
        (7, 8),
        Unit,
        9,
    ));
    assert_eq!(shown, "1 2 3 5 5 6 3 t (7, 8) 8");
    let shown = run(Service::new().mutable_patterns((1, 2), point, vec![5], [[6, 0], [0, 0]]));
    assert_eq!(shown, "3 7 [5, 3] 7");
}

#[test]
fn borrowed_values_are_cloned() {
    let service = Service::new();
    let c = CString::new("c").unwrap();
    let shown = run(service.borrowed("t", &[1], Path::new("p"), &OsString::from("o"), &c, &Point { x: 1, y: 2 }));
    assert_eq!(shown, r#"t [1] "p" "o" "c" Point { x: 1, y: 2 }"#);
    assert_eq!(run(service.borrowed_sized(&"t".into(), &vec![1], &"p".into(), &[1, 2], &[[1, 2]])), 6);
    assert_eq!(run(service.parenthesised("four", &Point { x: 1, y: 2 })), 5);
}

#[test]
fn optional_borrows_are_cloned() {
    let shown = run(Service::new().optional(Some("t"), Some(&Point { x: 1, y: 2 }), None, Some(1)));
    assert_eq!(shown, r#"Some("t") Some(Point { x: 1, y: 2 }) None Some(1)"#);
}

#[test]
fn a_cow_crosses_owned() {
    let text = "t".to_owned();
    assert_eq!(run(Service::new().cow(Cow::Borrowed(&text), Cow::Borrowed(&[1, 2]), "f".into())), "t [1, 2, 3] f");
    assert_eq!(run(Service::new().named(&text, Some(&text), Cow::Borrowed(&text))), 3);
}

#[test]
fn functions_and_trait_objects_are_moved() {
    let service = Service::new();
    assert_eq!(run(service.functions(str::len, str::trim, Box::new(|text| text), Box::new(|n| n))), 9);
    assert_eq!(run(service.closure(str::trim, || 1)), (4, 1));
    assert_eq!(run(service.impl_trait(1, vec![String::new()], &"by")), "1 1 by");
    let object: Arc<dyn Display + Send + Sync> = Arc::new(1);
    assert_eq!(run(service.shared(Arc::clone(&object), &object)), "11");
    assert_eq!(Arc::strong_count(&object), 1);
    assert_eq!(run(service.fixed("text", &["first"], None)), "first");
}
