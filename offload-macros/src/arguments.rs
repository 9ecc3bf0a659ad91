//! How each argument crosses to the worker; `self` is the first of them.
//!
//! What is borrowed is cloned, what is owned is moved. Which of the two it is shows in the spelling of the
//! type: `&T`, `Option<&T>` and `Cow<'_, T>` are borrowed, every other type without a borrow in it is owned.

use crate::attributes;
use crate::errors::Errors;
use crate::state;
use crate::tokens::{hidden, local};
use crate::types::{self, last_segment, peel, shown};
use proc_macro2::{Ident, Span};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, FnArg, GenericArgument, Pat, PatIdent, PatType, ReceiverKind, Token, Type, TypeReference};

/// One argument, with every decision about it made.
pub(crate) struct Argument {
    /// Attributes such as `#[cfg(...)]`. All of them stand at the `let` with the user's pattern.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) binding: Binding,
    pub(crate) crossing: Crossing,
    pub(crate) conversion: Conversion,
    /// The type as written; `self` may have none.
    pub(crate) ty: Option<Type>,
    /// The token that errors about the argument stand at: the head of its type.
    pub(crate) at: Span,
    /// What it is called on its way. Reads as the user's name, and has the hygiene of generated code.
    pub(crate) name: Ident,
    /// Whether it goes to the worker at all.
    pub(crate) crosses: bool,
}

/// What an argument binds in the body.
pub(crate) enum Binding {
    /// `self`. `hygiene` is that of the word on the caller's side.
    Receiver { token: Ident, mutability: Option<Token![mut]>, hygiene: Span },
    /// `email` or `mut email`.
    Name(Part),
    /// `_`: nothing, but the value lives until the body ends.
    Ignored,
    /// `State(app)`: the pattern stands in the signature, where other attributes see it, and its parts cross.
    Parts(Pat, Vec<Part>),
    /// Anything else that a `let` takes, which opens the value on the worker's side.
    Pattern(Pat),
}

/// A name that is bound by value.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) name: Ident,
    pub(crate) mutability: Option<Token![mut]>,
    /// Whether another attribute or the executor's expression reads it on the caller's side.
    pub(crate) is_read: bool,
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

/// What makes the declared type of what the caller gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    None,
    /// `#[into] key: Vec<u8>`: the caller gives an `impl Into<Vec<u8>>`.
    Into,
    /// `#[as_ref] path: &Path`: the caller gives an `impl AsRef<Path>`.
    AsRef,
}

/// What is known of the method when its arguments are read.
pub(crate) struct Surroundings<'a> {
    /// Whether another attribute or the executor's expression reads an argument of this name.
    pub(crate) reads: &'a dyn Fn(&str) -> bool,
    /// Whether other attributes see the signature.
    pub(crate) is_seen: bool,
    pub(crate) has_twin: bool,
}

impl Argument {
    /// Decides about the argument at position `number`, and reports what cannot cross.
    pub(crate) fn decide(number: usize, input: &FnArg, around: &Surroundings, errors: &mut Errors) -> Self {
        match input {
            FnArg::Receiver(receiver) => Self::receiver(receiver, around, errors),
            FnArg::Typed(typed) => Self::typed(number, typed, around, errors),
        }
    }

    fn receiver(receiver: &syn::Receiver, around: &Surroundings, errors: &mut Errors) -> Self {
        let token = Ident::new("self", receiver.self_token.span);
        let (crossing, ty) = match &receiver.kind {
            ReceiverKind::Reference(_, _, Some(word)) => {
                errors.at(word.span, SELF_IS_MUTABLE);
                (Crossing::ClonedSelf, None)
            }
            ReceiverKind::Reference(..) => (Crossing::ClonedSelf, None),
            ReceiverKind::Typed(_, ty) => (crossing_of_receiver(ty, errors), Some((**ty).clone())),
            _ => (Crossing::Moved, None),
        };
        // A `self` that the rewrite of the body missed cannot mean the caller's, unless another attribute says `self`.
        let hygiene = if around.is_seen { token.span() } else { hidden(token.span()) };
        Self {
            attrs: receiver.attrs.clone(),
            crossing,
            conversion: Conversion::None,
            ty,
            at: token.span(),
            name: local("__offload_self", token.span()),
            binding: Binding::Receiver { token, mutability: receiver.mutability, hygiene },
            crosses: true,
        }
    }

    fn typed(number: usize, typed: &PatType, around: &Surroundings, errors: &mut Errors) -> Self {
        let (conversion, attrs) = Conversion::take(typed, errors);
        let at = types::head(&typed.ty);
        let is_state = state::mark(&attrs).is_some();
        let is_out = attributes::is_out(&attrs);
        let attrs = attributes::without_out(&state::without_mark(&attrs));
        let crossing = match (is_state, is_out) {
            (true, _) => Crossing::Lent,
            (_, true) => Crossing::Out,
            _ => crossing_of(&typed.ty, errors),
        };
        if is_state || is_out {
            // Its rules are in `state.rs` and `stream.rs`.
        } else if let Some((at, advice)) = types::find_unbound_impl(&typed.ty) {
            errors.at(at, format!("`{}` may borrow from the caller, or not be `Send`; {advice}", shown(&typed.ty)));
        }
        let binding = Binding::of(typed, crossing, conversion, around);
        let name = match &binding {
            Binding::Name(part) => local(&part.name.to_string(), part.name.span()),
            Binding::Parts(pattern, _) | Binding::Pattern(pattern) => joined_name(number, pattern, at),
            Binding::Ignored | Binding::Receiver { .. } => local(&format!("arg{number}"), at),
        };
        let is_dropped_reference =
            matches!(binding, Binding::Ignored) && matches!(crossing, Crossing::Borrowed | Crossing::OptionalBorrow);
        let crosses = !is_dropped_reference || around.has_twin;
        Self { attrs, binding, crossing, conversion, ty: Some((*typed.ty).clone()), at, name, crosses }
    }

    /// Whether the worker's thread owns it.
    pub(crate) fn is_lent(&self) -> bool {
        self.crossing == Crossing::Lent
    }

    /// Whether callers give it.
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self.crossing, Crossing::Lent | Crossing::Out)
    }

    /// The attributes for where the argument is handed on.
    pub(crate) fn handed_on(&self) -> Vec<Attribute> {
        attributes::handed_on(&self.attrs)
    }

    /// The word `self` on the caller's side, at `at`.
    pub(crate) fn this(&self, at: Span) -> Option<Ident> {
        match &self.binding {
            Binding::Receiver { hygiene, .. } => Some(Ident::new("self", hygiene.located_at(at))),
            _ => None,
        }
    }

    /// The names that the argument binds.
    pub(crate) fn parts(&self) -> &[Part] {
        match &self.binding {
            Binding::Name(part) => std::slice::from_ref(part),
            Binding::Parts(_, parts) => parts,
            Binding::Receiver { .. } | Binding::Ignored | Binding::Pattern(_) => &[],
        }
    }
}

impl Conversion {
    /// Takes `#[into]` or `#[as_ref]` from among the attributes of an argument.
    fn take(typed: &PatType, errors: &mut Errors) -> (Self, Vec<Attribute>) {
        let mut conversion = Self::None;
        let mut attrs = typed.attrs.clone();
        attrs.retain(|attr| {
            let found = match attributes::name(attr) {
                Some(name) if attr.path().is_ident("into") => (Self::Into, name.span()),
                Some(name) if attr.path().is_ident("as_ref") => (Self::AsRef, name.span()),
                _ => return true,
            };
            let is_reference = matches!(peel(&typed.ty), Type::Reference(_));
            if found.0 == Self::Into && is_reference {
                let owned = shown(&types::owned(&typed.ty));
                errors.at(found.1, format!("`#[into]` makes a value that is owned; write `#[into] ..: {owned}`"));
            } else if found.0 == Self::AsRef && !is_reference {
                let ty = shown(&typed.ty);
                errors.at(found.1, format!("`#[as_ref]` makes a reference; write `#[as_ref] ..: &{ty}`, or `#[into]`"));
            } else {
                conversion = found.0;
            }
            false
        });
        (conversion, attrs)
    }
}

impl Binding {
    fn of(typed: &PatType, crossing: Crossing, conversion: Conversion, around: &Surroundings) -> Self {
        let part = |found: &PatIdent| {
            let is_read = (around.reads)(&found.ident.to_string());
            Part { name: found.ident.clone(), mutability: found.mutability, is_read }
        };
        match &*typed.pat {
            Pat::Wild(_) => Self::Ignored,
            Pat::Ident(found) if is_by_value(found) => Self::Name(part(found)),
            pattern => {
                let mut names = Names::default();
                names.visit_pat_mut(&mut pattern.clone());
                let is_wanted = names.is_complete || around.is_seen && !around.has_twin;
                let is_owned = crossing == Crossing::Moved && conversion == Conversion::None;
                if names.is_by_value && !names.found.is_empty() && is_owned && is_wanted {
                    Self::Parts(pattern.clone(), names.found.iter().map(part).collect())
                } else {
                    Self::Pattern(pattern.clone())
                }
            }
        }
    }
}

/// The names in a pattern, and whether they are all there is to its value.
struct Names {
    found: Vec<PatIdent>,
    is_by_value: bool,
    is_complete: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self { found: Vec::new(), is_by_value: true, is_complete: true }
    }
}

impl VisitMut for Names {
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        match pattern {
            Pat::Ident(found) if is_by_value(found) => self.found.push(found.clone()),
            Pat::Tuple(_) | Pat::TupleStruct(_) | Pat::Struct(_) | Pat::Slice(_) | Pat::Paren(_) => {
                if let Pat::Struct(pattern) = pattern {
                    self.is_complete &= pattern.rest.is_none();
                }
                visit_mut::visit_pat_mut(self, pattern);
            }
            Pat::Wild(_) | Pat::Rest(_) => self.is_complete = false,
            _ => self.is_by_value = false,
        }
    }
}

/// Whether a pattern is a name that is bound to the whole value. A unit struct or a constant is matched, not bound.
fn is_by_value(pattern: &PatIdent) -> bool {
    let is_constant = pattern.ident.to_string().starts_with(char::is_uppercase);
    pattern.by_ref.is_none() && pattern.subpat.is_none() && !is_constant
}

/// What a pattern is called in the signature: by the names it binds.
fn joined_name(number: usize, pattern: &Pat, at: Span) -> Ident {
    struct All(Vec<String>);
    impl VisitMut for All {
        fn visit_pat_ident_mut(&mut self, found: &mut PatIdent) {
            let name = found.ident.to_string();
            if !name.starts_with(char::is_uppercase) {
                self.0.push(name.trim_start_matches("r#").to_owned());
            }
            if found.subpat.is_none() {
                visit_mut::visit_pat_ident_mut(self, found);
            }
        }
    }
    let mut all = All(Vec::new());
    all.visit_pat_mut(&mut pattern.clone());
    match all.0.as_slice() {
        [] => local(&format!("arg{number}"), at),
        [name] => local(name, at),
        // The number keeps it apart from an argument of that very name.
        names => local(&format!("{}_{number}", names.join("_")), at),
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
    let (whole, is_function) = (shown(whole), shown(elem).contains("Fn"));
    if last_segment(peel(elem)).is_some_and(|(name, _)| name == "Yielder") {
        return format!("a `{whole}` is made for each call, not by the caller; mark it: `#[out] ..: {whole}`");
    }
    let owned = match peel(elem) {
        Type::Slice(slice) => format!("take `Vec<{}>` by value and return it", shown(&slice.elem)),
        Type::TraitObject(object) => format!("take `Box<dyn {} + Send>`", shown(&object.bounds)),
        Type::ImplTrait(found) => format!("take `impl {} + Send + 'static` by value", shown(&found.bounds)),
        Type::Path(path) if path.path.is_ident("str") => "take `String` by value and return it".to_owned(),
        elem => format!("take `{}` by value and return it", shown(elem)),
    };
    let hint = match peel(elem) {
        _ if is_function => "",
        Type::Path(path) if !path.path.is_ident("str") => {
            ", or an `Arc<Mutex<..>>`; what the threads of a `StatefulPool` own is marked `#[state]`"
        }
        _ => ", or an `Arc<Mutex<..>>`",
    };
    format!("a `{whole}` cannot cross to another thread; {owned}{hint}")
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
