//! What may stand in a body: everything that may stand in a plain method's.

use crate::{Service, run};
use offload_runtime::blocking;
use std::fmt;
use std::sync::Arc;

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service of {}", self.words.len())
    }
}

fn helper(n: usize) -> usize {
    n + 1
}

macro_rules! twice {
    ($e:expr) => {
        $e * 2
    };
}

macro_rules! get {
    ($this:ident . $field:ident) => {
        $this.$field.len()
    };
}

impl Service {
    #[blocking(refused = panic)]
    fn returns_early(&self, n: usize) -> Result<usize, std::num::ParseIntError> {
        if n > 1 {
            return Ok(self.words.len());
        }
        let parsed: usize = self.words[n].parse()?;
        Ok(parsed)
    }

    #[blocking]
    fn labelled(&self) -> usize {
        let mut count = 0;
        'words: for word in self.words.iter() {
            for c in word.chars() {
                count += 1;
                if c == 'g' {
                    continue 'words;
                }
            }
        }
        let found = 'block: {
            if count > 3 {
                break 'block count;
            }
            0
        };
        loop {
            break found;
        }
    }

    #[blocking]
    #[expect(unsafe_code, reason = "an unsafe block in a body is under test")]
    fn has_unsafe(&self) -> u8 {
        let bytes = self.words[0].as_bytes();
        // SAFETY: the first word is not empty.
        unsafe { *bytes.get_unchecked(0) }
    }

    #[blocking]
    #[expect(unused_qualifications, unused_braces, reason = "the forms under test")]
    fn nested_items(&self) -> usize {
        use self::helper as plus_one;

        struct Inner(pub(self) usize);
        impl Inner {
            const ONE: Self = Self(1);
            fn get(&self) -> usize {
                self.0
            }
        }
        trait Get {
            fn get_it(&self) -> usize;
            fn own(self) -> usize
            where
                Self: Sized,
            {
                self.get_it()
            }
        }
        impl Get for Inner {
            fn get_it(&self) -> usize {
                self.get()
            }
        }
        mod deep {
            pub(in self::super) struct Deep;
            impl Deep {
                pub(super) fn me(&self) -> &Self {
                    self
                }
            }
        }
        fn nested(n: usize) -> [usize; { 1 + 1 }] {
            [n, n]
        }
        macro_rules! count {
            ($self:ident) => {
                $self.words.len() + self.words.len()
            };
        }
        let _ = deep::Deep.me();
        plus_one(self::helper(self.words.len())) + Inner::ONE.own() + nested(1)[1] + count!(self)
    }

    #[blocking]
    fn closures(&self, mut offset: usize) -> usize {
        let count = || self.words.len();
        let mut add = |n| offset += n + self.words[0].len();
        add(count());
        let owned = move || self.words.len();
        offset + owned()
    }

    #[blocking]
    fn macros(&self, n: usize) -> Vec<String> {
        use std::fmt::Write as _;

        let lengths = vec![self.words.len(), n];
        assert_eq!(self.words.len(), 3, "{self} has {n}");
        assert!(matches!(self.words.first(), Some(word) if word == "ada"), "{self:?}");
        let mut out = vec![
            format!("{} {n}", self.words[0]),
            format!("{self} {{self}} {n:>3}"),
            format!(r#"{self:?} "raw""#).chars().take(7).collect(),
            format!("{0} {named}", "{self}", named = self.words.len()),
            format!("{lengths:?}"),
        ];
        let mut text = String::new();
        write!(text, "{self:}").unwrap();
        out.push(text);
        out.push((twice!(self.words.len()) + get!(self.words)).to_string());
        if n > 100 {
            unreachable!("{self}");
        }
        out
    }

    #[blocking]
    fn shadows(&self, n: &str) -> usize {
        let n = n.len();
        let this = self;
        {
            let n = n + 1;
            let words = &self.words;
            assert_eq!(n + words.len(), this.words.len() + 5);
        }
        n
    }

    #[blocking]
    fn let_else(&self, n: usize) -> Option<String> {
        let Some(word) = self.words.get(n) else {
            return None;
        };
        Some(word.clone())
    }

    #[blocking(sync = depth_sync)]
    fn depth(&self, n: usize) -> usize {
        if n == 0 { self.words.len() } else { self.depth_sync(n - 1) + 1 }
    }

    #[blocking]
    fn constructs(&self) -> Self {
        let Self { executor, words } = self;
        Self { executor: executor.clone(), words: Arc::clone(words) }
    }

    #[blocking]
    fn path_to_self(&self) -> usize {
        Self::len(self) + Service::len(self)
    }

    fn len(&self) -> usize {
        self.words.len()
    }

    #[blocking]
    fn inner_attribute(&self) -> usize {
        #![allow(unused_variables)]
        let unused = 1;
        self.words.len()
    }
}

#[test]
fn control_flow_stays() {
    let service = Service::new();
    assert_eq!(run(service.returns_early(2)), Ok(3));
    assert!(run(service.returns_early(0)).is_err());
    assert_eq!(run(service.labelled()), 8);
    assert_eq!(run(service.let_else(0)).as_deref(), Some("ada"));
    assert_eq!(run(service.let_else(9)), None);
    assert_eq!(run(service.depth(4)), 7);
}

#[test]
fn items_inside_keep_their_own_self() {
    assert_eq!(run(Service::new().nested_items()), 5 + 1 + 1 + 6);
}

#[test]
fn closures_and_unsafe_blocks_work() {
    assert_eq!(run(Service::new().closures(1)), 1 + 3 + 3 + 3);
    assert_eq!(run(Service::new().has_unsafe()), b'a');
}

#[test]
fn macros_see_self() {
    let lines = run(Service::new().macros(7));
    let expected = ["ada 7", "service of 3 {self}   7", "Service", "{self} 3", "[3, 7]", "service of 3", "9"];
    assert_eq!(lines, expected);
}

#[test]
fn names_may_be_shadowed() {
    let service = Service::new();
    assert_eq!(run(service.shadows("four")), 4);
    assert_eq!(run(service.constructs()).words, service.words);
    assert_eq!(run(service.path_to_self()), 6);
    assert_eq!(run(service.inner_attribute()), 3);
}
