//! How each argument crosses to the worker; `self` is the first of them.
//!
//! What is borrowed is cloned, what is owned is moved. Which of the two it is shows in the spelling of the
//! type: `&T`, `Option<&T>` and `Cow<'_, T>` are borrowed, every other type without a borrow in it is owned.

use crate::attributes::{self, Mark, MarkKind};
use crate::errors::Errors;
use crate::self_rewrite;
use crate::tokens::{hidden, local};
use crate::types::{self, last_segment, peel, shown};
use proc_macro2::{Ident, Span};
use syn::{
    Attribute, FnArg, GenericArgument, Pat, PatIdent, PatType, ReceiverKind, Token, Type, TypeReference, parse_quote,
};

/// One argument, with every decision about it made.
pub(crate) struct Argument {
    /// Attributes such as `#[cfg(...)]`. All of them stand at the `let` with the user's pattern.
    pub(crate) attrs: Vec<Attribute>,
    /// What crosses: the whole, or each part of its pattern.
    pub(crate) parts: Vec<Part>,
    /// The pattern, if its parts cross: it stands in the signature, where other attributes see it.
    pub(crate) pattern: Option<Pat>,
    pub(crate) crossing: Crossing,
    pub(crate) mark: Option<MarkKind>,
    /// The type as written; `self` may have none.
    pub(crate) ty: Option<Type>,
    /// The token that errors about the argument stand at: the head of its type.
    pub(crate) at: Span,
    pub(crate) is_self: bool,
    /// Whether it goes to the worker at all.
    pub(crate) crosses: bool,
}

/// A value that crosses, under its three names.
pub(crate) struct Part {
    /// The caller's. It reads as the user's name, and is that only if another attribute or the executor's expression
    /// reads it: lints about unused or shadowed names look at the body's.
    pub(crate) outside: Ident,
    /// What it is called on its way: reads as the user's name, and has the hygiene of generated code.
    pub(crate) way: Ident,
    /// The body's.
    pub(crate) inside: Inside,
    /// Whether another attribute or the executor's expression reads it on the caller's side.
    pub(crate) is_read: bool,
}

/// What a value is in the body.
pub(crate) enum Inside {
    /// `email` or `mut email`.
    Name(Option<Token![mut]>, Ident),
    /// `_`: it has no name, but it lives until the body ends.
    Nothing,
    /// Anything else that a `let` takes; whether that borrows mutably, by `ref mut`.
    Pattern(Pat, bool),
}

/// How an argument crosses to the worker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// `T`: itself.
    Moved,
    /// `&self`: a clone of `Self`.
    ClonedSelf,
    /// `self: Arc<Self>`: a clone of the `Arc`, so that the caller can reach the executor meanwhile.
    ClonedArc,
    /// `&T`: `T::Owned`.
    Borrowed,
    /// `Option<&T>`: `Option<T::Owned>`.
    OptionalBorrow,
    /// `Cow<'_, T>`: `Cow<'static, T>`.
    Cow,
    /// `#[state]`: it is on the worker already.
    Lent,
    /// `#[out]`: what the body of a stream sends to. It is made on the worker.
    Out,
}

/// What is known of the method when its arguments are read.
pub(crate) struct Surroundings<'a> {
    /// Whether another attribute or the executor's expression reads an argument of this name.
    pub(crate) reads: &'a dyn Fn(&str) -> bool,
    /// Whether other attributes see the signature.
    pub(crate) is_seen: bool,
    pub(crate) has_twin: bool,
    /// What the body calls `self`.
    pub(crate) self_name: &'static str,
}

impl Argument {
    /// Decides about the argument at position `number`, and reports what cannot cross.
    pub(crate) fn decide(
        number: usize,
        (input, mark): (&FnArg, Option<&Mark>),
        around: &Surroundings,
        errors: &mut Errors,
    ) -> Self {
        match input {
            FnArg::Receiver(receiver) => Self::receiver(receiver, mark, around, errors),
            FnArg::Typed(typed) => Self::typed(number, typed, mark, around, errors),
        }
    }

    fn receiver(receiver: &syn::Receiver, mark: Option<&Mark>, around: &Surroundings, errors: &mut Errors) -> Self {
        if let Some(mark) = mark {
            errors.at(
                mark.at(),
                "`self` is the caller's; mark the argument that the thread owns: `#[state] name: &mut T`",
            );
        }
        let at = receiver.self_token.span;
        let (crossing, ty) = match &receiver.kind {
            ReceiverKind::Reference(_, _, Some(word)) => {
                errors.at(word.span, SELF_IS_MUTABLE);
                (Crossing::ClonedSelf, None)
            }
            ReceiverKind::Reference(..) => (Crossing::ClonedSelf, None),
            ReceiverKind::Typed(_, ty) => (crossing_of_receiver(ty, errors), Some((**ty).clone())),
            _ => (Crossing::Moved, None),
        };
        let part = Part {
            // A `self` that the rewrite of the body missed cannot mean the caller's, unless another attribute says `self`.
            outside: Ident::new("self", if around.is_seen { at } else { hidden(at) }),
            way: local("__offload_self", at),
            inside: Inside::Name(receiver.mutability, self_rewrite::binding(around.self_name, at)),
            is_read: false,
        };
        let (attrs, parts) = (receiver.attrs.clone(), vec![part]);
        Self { attrs, parts, pattern: None, crossing, mark: None, ty, at, is_self: true, crosses: true }
    }

    fn typed(number: usize, typed: &PatType, mark: Option<&Mark>, around: &Surroundings, errors: &mut Errors) -> Self {
        let at = types::head(&typed.ty);
        let mark = mark.and_then(|mark| fitting(mark, &typed.ty, errors));
        let crossing = match mark {
            Some(MarkKind::State) => Crossing::Lent,
            Some(MarkKind::Out) => Crossing::Out,
            _ => crossing_of(&typed.ty, errors),
        };
        let is_given = !matches!(crossing, Crossing::Lent | Crossing::Out);
        if let (true, Some((at, advice))) = (is_given, types::find_unbound_impl(&typed.ty)) {
            errors.at(at, format!("`{}` may borrow from the caller, or not be `Send`; {advice}", shown(&typed.ty)));
        }
        if let (Crossing::Moved, None, Some((at, instead))) =
            (crossing, types::find_borrow(&typed.ty), types::find_local(&typed.ty))
        {
            errors.at(at, format!("this cannot cross to another thread; take {instead}"));
        }
        let is_owned = crossing == Crossing::Moved && mark.is_none();
        let (pattern, parts) = parts(number, typed, is_owned, around);
        let is_borrow = matches!(crossing, Crossing::Borrowed | Crossing::OptionalBorrow);
        let crosses = around.has_twin || !is_borrow || !matches!(parts[0].inside, Inside::Nothing);
        let (attrs, ty) = (typed.attrs.clone(), Some((*typed.ty).clone()));
        Self { attrs, parts, pattern, crossing, mark, ty, at, is_self: false, crosses }
    }

    /// The part that is the whole, where no pattern takes it apart.
    pub(crate) fn whole(&self) -> &Part {
        &self.parts[0]
    }

    /// Whether callers give it.
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self.crossing, Crossing::Lent | Crossing::Out)
    }

    /// Whether callers give something else, which is converted: `#[into]`, `#[as_ref]`.
    pub(crate) fn is_converted(&self) -> bool {
        matches!(self.mark, Some(MarkKind::Into | MarkKind::AsRef))
    }

    /// The attributes for where the argument is handed on.
    pub(crate) fn handed_on(&self) -> Vec<Attribute> {
        attributes::handed_on(&self.attrs)
    }

    /// The pattern of a parameter: each part under the name that `name_of` gives it.
    pub(crate) fn opened(&self, name_of: fn(&Part) -> &Ident) -> Pat {
        fn rename(pattern: &mut Pat, parts: &[Part], name_of: fn(&Part) -> &Ident) {
            if let Pat::Ident(found) = pattern {
                let is_it = |part: &&Part| matches!(&part.inside, Inside::Name(_, name) if *name == found.ident);
                if let Some(part) = parts.iter().find(is_it) {
                    (found.mutability, found.ident) = (None, name_of(part).clone());
                }
            }
            for pattern in inner(pattern) {
                rename(pattern, parts, name_of);
            }
        }
        let Some(mut pattern) = self.pattern.clone() else {
            let ident = name_of(self.whole()).clone();
            return Pat::Ident(PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None });
        };
        rename(&mut pattern, &self.parts, name_of);
        pattern
    }
}

/// The kind of a mark, if the type fits it; else that is reported.
fn fitting(mark: &Mark, ty: &Type, errors: &mut Errors) -> Option<MarkKind> {
    let is_reference = matches!(peel(ty), Type::Reference(_));
    let message = match mark.kind {
        MarkKind::Into if is_reference => {
            format!("`#[into]` makes a value that is owned; write `#[into] ..: {}`", shown(&types::owned(ty)))
        }
        MarkKind::AsRef if !is_reference => {
            format!("`#[as_ref]` makes a reference; write `#[as_ref] ..: &{}`, or `#[into]`", shown(ty))
        }
        kind => return Some(kind),
    };
    errors.at(mark.at(), message);
    None
}

/// What crosses of an argument, and its pattern, if that is taken apart on the caller's side.
fn parts(number: usize, typed: &PatType, is_owned: bool, around: &Surroundings) -> (Option<Pat>, Vec<Part>) {
    let part = |found: &PatIdent| {
        let (text, is_read) = (found.ident.to_string(), (around.reads)(&found.ident.to_string()));
        let way = local(&text, found.ident.span());
        let outside = if is_read { found.ident.clone() } else { way.clone() };
        Part { outside, way, inside: Inside::Name(found.mutability, found.ident.clone()), is_read }
    };
    let mut names = Names { found: Vec::new(), is_by_value: true, is_complete: true };
    names.read(&mut typed.pat.clone());
    let is_wanted = names.is_complete || around.is_seen && !around.has_twin;
    let inside = match (&*typed.pat, names.found.as_slice()) {
        (Pat::Ident(_), [found]) if names.is_by_value => return (None, vec![part(found)]),
        (pattern, [_, ..]) if names.is_by_value && is_owned && is_wanted => {
            return (Some(pattern.clone()), names.found.iter().map(part).collect());
        }
        (Pat::Wild(_), _) => Inside::Nothing,
        (pattern, found) => {
            let is_mutable = found.iter().any(|found| found.by_ref.is_some() && found.mutability.is_some());
            Inside::Pattern(pattern.clone(), is_mutable)
        }
    };
    // In the signature it is called by the names that it binds.
    let found: Vec<String> =
        names.found.iter().map(|found| found.ident.to_string().trim_start_matches("r#").to_owned()).collect();
    let name = match found.as_slice() {
        [] => format!("arg{number}"),
        [name] => name.clone(),
        // The number keeps it apart from an argument of that very name.
        names => format!("{}_{number}", names.join("_")),
    };
    let way = local(&name, types::head(&typed.ty));
    (None, vec![Part { outside: way.clone(), way, inside, is_read: false }])
}

/// The names in a pattern, and whether they are all there is to its value.
struct Names {
    found: Vec<PatIdent>,
    is_by_value: bool,
    is_complete: bool,
}

impl Names {
    fn read(&mut self, pattern: &mut Pat) {
        match pattern {
            // A unit struct or a constant is matched, not bound.
            Pat::Ident(found) if !found.ident.to_string().starts_with(char::is_uppercase) => {
                self.is_by_value &= found.by_ref.is_none() && found.subpat.is_none();
                self.found.push(found.clone());
            }
            Pat::Struct(found) => self.is_complete &= found.rest.is_none(),
            Pat::Tuple(_) | Pat::TupleStruct(_) | Pat::Slice(_) | Pat::Paren(_) => {}
            Pat::Wild(_) | Pat::Rest(_) => self.is_complete = false,
            _ => self.is_by_value = false,
        }
        for pattern in inner(pattern) {
            self.read(pattern);
        }
    }
}

/// The patterns right inside of a pattern. A visitor would walk through expressions and types as well, each of its
/// functions compiled once more.
fn inner(pattern: &mut Pat) -> Vec<&mut Pat> {
    match pattern {
        Pat::Ident(found) => found.subpat.iter_mut().map(|(_, pattern)| &mut **pattern).collect(),
        Pat::Or(found) => found.cases.iter_mut().collect(),
        Pat::Paren(found) => vec![&mut found.pat],
        Pat::Reference(found) => vec![&mut found.pat],
        Pat::Slice(found) => found.elems.iter_mut().collect(),
        Pat::Struct(found) => found.fields.iter_mut().map(|field| &mut *field.pat).collect(),
        Pat::Tuple(found) => found.elems.iter_mut().collect(),
        Pat::TupleStruct(found) => found.elems.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Decides by what is spelled.
fn crossing_of(ty: &Type, errors: &mut Errors) -> Crossing {
    let peeled = peel(ty);
    if let Type::Reference(reference) = peeled {
        return crossing_of_reference(ty, reference, Crossing::Borrowed, errors);
    }
    if let Some((name, arguments)) = last_segment(peeled) {
        match (name.to_string().as_str(), arguments.as_slice()) {
            ("Option", [GenericArgument::Type(inside)]) => {
                if let Type::Reference(reference) = peel(inside) {
                    return crossing_of_reference(ty, reference, Crossing::OptionalBorrow, errors);
                }
            }
            ("Cow", [GenericArgument::Lifetime(lifetime), GenericArgument::Type(inside)])
                if lifetime.ident != "static" && types::find_borrow(inside).is_none() =>
            {
                return Crossing::Cow;
            }
            _ => {}
        }
    }
    if let Some(at) = types::find_borrow(ty) {
        errors.at(at, nested_borrow(ty));
    }
    Crossing::Moved
}

/// `&T` crosses as `kind`; `&'static T` is moved.
fn crossing_of_reference(whole: &Type, ty: &TypeReference, kind: Crossing, errors: &mut Errors) -> Crossing {
    let is_static = ty.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
    if let (Some(word), false) = (&ty.mutability, is_static) {
        errors.at(word.span, mutable_borrow(whole, &ty.elem));
    } else if let Some(at) = types::find_borrow(&ty.elem) {
        errors.at(at, nested_borrow(whole));
    } else if let (Type::TraitObject(object), false) = (peel(&ty.elem), is_static) {
        let bounds = shown(&object.bounds);
        let at = object.dyn_token.map_or_else(Span::call_site, |word| word.span);
        let message =
            format!("a `&dyn {bounds}` cannot be cloned for the worker; take `Arc<dyn {bounds} + Send + Sync>`");
        errors.at(at, message);
    }
    if is_static { Crossing::Moved } else { kind }
}

/// The form of `self: type`. `Arc<Self>` and `Arc<Service>` under any path are an `Arc`.
fn crossing_of_receiver(ty: &Type, errors: &mut Errors) -> Crossing {
    let (target, is_reference) = match peel(ty) {
        Type::Reference(TypeReference { mutability: Some(word), .. }) => {
            errors.at(word.span, SELF_IS_MUTABLE);
            return Crossing::ClonedSelf;
        }
        Type::Reference(reference) => (peel(&reference.elem), true),
        ty => (ty, false),
    };
    let message = match (is_reference, pointer_and_target(target)) {
        (true, Some((None, _))) => return Crossing::ClonedSelf,
        (true, Some((Some("Arc"), true))) => return Crossing::Borrowed,
        (false, Some((None, _) | (Some("Box"), true))) => return Crossing::Moved,
        (false, Some((Some("Arc"), true))) => return Crossing::ClonedArc,
        (_, Some((Some("Rc"), _))) => "an `Rc` cannot cross to another thread; take `self: Arc<Self>`",
        (_, Some((Some("Pin"), _))) => "a pinned `self` cannot cross to another thread; take `self: Arc<Self>`",
        _ => {
            "this form of `self` is not known to `#[blocking]`; take `&self`, `self`, `self: Arc<Self>`, \
             `self: &Arc<Self>` or `self: Box<Self>`"
        }
    };
    errors.at(types::head(ty), message);
    Crossing::Moved
}

/// The pointer that a receiver's type is, if it is one, and whether it points to a plain `Self`, under whatever name.
fn pointer_and_target(ty: &Type) -> Option<(Option<&'static str>, bool)> {
    const POINTERS: [&str; 5] = ["Arc", "Box", "Rc", "Pin", "Weak"];
    let (name, arguments) = last_segment(ty)?;
    let Some(pointer) = POINTERS.into_iter().find(|pointer| name == pointer) else { return Some((None, true)) };
    let target = arguments.first().and_then(|argument| match argument {
        GenericArgument::Type(target) => pointer_and_target(peel(target)),
        _ => None,
    });
    Some((Some(pointer), matches!(target, Some((None, _)))))
}

const SELF_IS_MUTABLE: &str = "`&mut self` cannot cross to another thread; take `&self` and keep what changes in a \
                               `Mutex`, or take `self` and return it";

fn mutable_borrow(whole: &Type, elem: &Type) -> String {
    let whole = shown(whole);
    if last_segment(peel(elem)).is_some_and(|(name, _)| name == "Yielder") {
        return format!("a `{whole}` is made for each call, not by the caller; mark it: `#[out] ..: {whole}`");
    }
    let owned = shown(&types::owned(&parse_quote!(&#elem)));
    let advice = match peel(elem) {
        Type::TraitObject(_) => format!("take `{owned}`"),
        Type::ImplTrait(_) => format!("take `{owned} + Send + 'static` by value"),
        Type::Path(path) if !path.path.is_ident("str") => format!(
            "take `{owned}` by value and return it, or an `Arc<Mutex<..>>`; what the threads of a `StatefulPool` own is \
             marked `#[state]`"
        ),
        _ => format!("take `{owned}` by value and return it, or an `Arc<Mutex<..>>`"),
    };
    format!("a `{whole}` cannot cross to another thread; {advice}")
}

fn nested_borrow(ty: &Type) -> String {
    let (written, owned) = (shown(ty), shown(&types::owned(ty)));
    if written == owned {
        return format!(
            "`{written}` borrows from the caller and cannot be cloned for the worker; take what the body needs out of it \
             before the call, and pass that by value"
        );
    }
    format!("a borrow inside another type cannot be cloned for the worker; take `{owned}`")
}
