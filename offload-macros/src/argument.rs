//! A method's arguments: their patterns, and how each one crosses to the worker.
//!
//! What is borrowed is cloned, what is owned is moved. Which of the two it is shows in the spelling of the
//! type: `&T`, `Option<&T>` and `Cow<'_, T>` are borrowed, every other type without a borrow in it is owned.

use crate::attributes::{self, Attribute};
use crate::tokens::{self, is_ident, is_punct};
use crate::types;
use proc_macro2::{Ident, Span, TokenTree};

/// One argument other than `self`.
pub(crate) struct Argument {
    /// Attributes such as `#[cfg(...)]`, as written. All of them stand at the `let` with the user's pattern.
    pub(crate) attrs: Vec<TokenTree>,
    pub(crate) pattern: Pattern,
    pub(crate) ty: Vec<TokenTree>,
    pub(crate) crossing: Crossing,
}

/// What an argument binds.
pub(crate) enum Pattern {
    /// `email` or `mut email`.
    Name { mutability: Option<Ident>, name: Ident },
    /// `_`: nothing, but the value lives until the body ends.
    Ignored,
    /// Anything else that a `let` takes.
    Other(Vec<TokenTree>),
}

/// How an argument crosses to the worker.
#[derive(Clone, Copy)]
pub(crate) enum Crossing {
    /// Moved.
    Owned,
    /// `&T`: crosses as `T::Owned`.
    Borrowed,
    /// `Option<&T>`: crosses as `Option<T::Owned>`.
    OptionalBorrow,
    /// `Cow<'_, T>`: crosses as `Cow<'static, T>`.
    Cow,
    /// Cannot cross, and where that is to be seen.
    Refused(Refused, Span),
}

/// Why an argument cannot cross.
#[derive(Clone, Copy)]
pub(crate) enum Refused {
    /// `&mut T`, at its `mut`.
    Mutable,
    /// A borrow inside another type.
    Nested,
}

impl Argument {
    /// Reads an argument, the attributes of which end at `start`; `None` if it has no pattern or type.
    pub(crate) fn parse(parameter: &[TokenTree], start: usize) -> Option<Self> {
        let colon = start + tokens::find_colon(&parameter[start..])?;
        let (pattern, ty) = (&parameter[start..colon], &parameter[colon + 1..]);
        if pattern.is_empty() || ty.is_empty() {
            return None;
        }
        let (ty, pattern) = (ty.to_vec(), Pattern::parse(pattern));
        Some(Self { attrs: parameter[..start].to_vec(), pattern, crossing: Crossing::of(&ty), ty })
    }

    /// The attributes for where the argument is handed on: what it expects of its binding is only found at the `let`
    /// with the user's pattern, and is allowed elsewhere.
    pub(crate) fn handed_on(&self) -> Vec<Attribute> {
        let (attrs, _) = attributes::parse_outer(&self.attrs);
        attrs.iter().map(Attribute::without_expectation).collect()
    }

    /// The token of the type that best stands for it in a message: `Rc` of `std::rc::Rc<u8>`.
    pub(crate) fn type_span(&self) -> Span {
        types::head(&self.ty)
    }
}

impl Crossing {
    /// Decides by what is spelled.
    fn of(ty: &[TokenTree]) -> Self {
        let ty = tokens::peel(ty.to_vec());
        if is_punct(ty.first(), '&') {
            return crossing_of_reference(&ty, Self::Borrowed);
        }
        if let Some((name, inside)) = tokens::last_segment(&ty) {
            let parts = tokens::split_commas(inside);
            if name == "Option" && parts.len() == 1 {
                let inside = tokens::peel(inside.to_vec());
                if is_punct(inside.first(), '&') {
                    return crossing_of_reference(&inside, Self::OptionalBorrow);
                }
            }
            if let ("Cow", [lifetime, rest]) = (name.to_string().as_str(), parts.as_slice()) {
                let is_borrowed = is_punct(lifetime.first(), '\'') && !is_ident(lifetime.get(1), "static");
                if is_borrowed && types::find_borrow(rest).is_none() {
                    return Self::Cow;
                }
            }
        }
        types::find_borrow(&ty).map_or(Self::Owned, |at| Self::Refused(Refused::Nested, at))
    }
}

/// `&T` crosses as `kind`; `&'static T` is moved.
fn crossing_of_reference(ty: &[TokenTree], kind: Crossing) -> Crossing {
    let mut rest = &ty[1..];
    let mut is_static = false;
    if is_punct(rest.first(), '\'') {
        is_static = is_ident(rest.get(1), "static");
        rest = rest.get(2..).unwrap_or_default();
    }
    if let Some(word) = rest.first().filter(|word| is_ident(Some(word), "mut") && !is_static) {
        return Crossing::Refused(Refused::Mutable, word.span());
    }
    match types::find_borrow(rest) {
        Some(at) => Crossing::Refused(Refused::Nested, at),
        None if is_static => Crossing::Owned,
        None => kind,
    }
}

impl Pattern {
    fn parse(pattern: &[TokenTree]) -> Self {
        match tokens::peel(pattern.to_vec()).as_slice() {
            [TokenTree::Ident(name)] if name == "_" => Self::Ignored,
            // A unit struct or a constant is matched, not bound.
            [TokenTree::Ident(name)] if name.to_string().starts_with(char::is_uppercase) => {
                Self::Other(pattern.to_vec())
            }
            [TokenTree::Ident(name)] => Self::Name { mutability: None, name: name.clone() },
            [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mut" => {
                Self::Name { mutability: Some(word.clone()), name: name.clone() }
            }
            _ => Self::Other(pattern.to_vec()),
        }
    }
}
