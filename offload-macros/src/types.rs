//! Questions about types: do they borrow, what would they be if they did not, do they say `impl Trait`.
//!
//! A borrow is what ties a value to its caller: an elided or named lifetime. `'static`, lifetimes bound by a
//! `for<..>` and those of function signatures (`fn(&str)`, `Fn(&str) -> &str`) tie nothing.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    BoundLifetimes, Expr, GenericArgument, GenericParam, Lifetime, ParenthesizedGenericArguments, PathArguments,
    PathSegment, Type, TypeFnPtr, TypeImplTrait, TypeParamBound, TypeReference, TypeSlice, TypeTraitObject,
    parse_quote, parse_quote_spanned,
};

/// The first place where a type borrows from its caller.
pub(crate) fn find_borrow(ty: &Type) -> Option<Span> {
    let mut borrows = Borrows::default();
    borrows.visit_type_mut(&mut ty.clone());
    borrows.first
}

/// Collects the places where a type borrows, and gives names to elided lifetimes where `elided` is set.
#[derive(Default)]
pub(crate) struct Borrows {
    pub(crate) first: Option<Span>,
    /// The named lifetimes, each once.
    pub(crate) named: Vec<Lifetime>,
    /// The lifetimes given to elided ones, and to arguments of `impl Trait`, as async-trait does.
    pub(crate) elided: Option<Vec<Lifetime>>,
    /// Lifetimes bound by a `for<..>` met so far.
    bound: Vec<Ident>,
    /// Whether elided lifetimes belong to a function signature here.
    in_signature: bool,
}

impl Borrows {
    /// Before: `&str`, `Cow<'_, T>`, `impl Fn()`. After: `&'life1 str`, `Cow<'life1, T>`, `impl 'async_trait + Fn()`.
    pub(crate) fn naming() -> Self {
        Self { elided: Some(Vec::new()), ..Self::default() }
    }

    /// An elided lifetime is at `at`: its name, if it is to have one.
    pub(crate) fn elided(&mut self, at: Span) -> Option<Lifetime> {
        if self.in_signature {
            return None;
        }
        self.first.get_or_insert(at);
        let elided = self.elided.as_mut()?;
        elided.push(Lifetime::new(&format!("'life{}", elided.len()), at));
        elided.last().cloned()
    }

    fn in_signature(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.in_signature, true);
        visit(self);
        self.in_signature = outside;
    }
}

impl VisitMut for Borrows {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        match &mut reference.lifetime {
            Some(lifetime) => self.visit_lifetime_mut(lifetime),
            None => reference.lifetime = self.elided(reference.and_token.span),
        }
        // `&impl Trait` with another bound is written `&(impl 'async_trait + Trait)`.
        let elem = &mut *reference.elem;
        self.visit_type_mut(elem);
        if self.elided.is_some() && matches!(elem, Type::ImplTrait(_)) {
            *elem = parse_quote!((#elem));
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            if let Some(name) = self.elided(lifetime.span()) {
                *lifetime = name;
            }
        } else if lifetime.ident != "static" && !self.bound.contains(&lifetime.ident) {
            self.first.get_or_insert(lifetime.span());
            if !self.named.contains(lifetime) {
                self.named.push(lifetime.clone());
            }
        }
    }

    fn visit_bound_lifetimes_mut(&mut self, bound: &mut BoundLifetimes) {
        self.bound.extend(bound.lifetimes.iter().filter_map(|parameter| match parameter {
            GenericParam::Lifetime(parameter) => Some(parameter.lifetime.ident.clone()),
            GenericParam::Type(_) | GenericParam::Const(_) => None,
        }));
    }

    fn visit_type_fn_ptr_mut(&mut self, pointer: &mut TypeFnPtr) {
        self.in_signature(|this| visit_mut::visit_type_fn_ptr_mut(this, pointer));
    }

    fn visit_parenthesized_generic_arguments_mut(&mut self, signature: &mut ParenthesizedGenericArguments) {
        self.in_signature(|this| visit_mut::visit_parenthesized_generic_arguments_mut(this, signature));
    }

    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        visit_mut::visit_type_impl_trait_mut(self, ty);
        if self.elided.is_some() {
            let at = ty.impl_token.span;
            ty.bounds.insert(0, parse_quote_spanned!(at=> 'async_trait));
        }
    }

    // A length or a constant argument is an expression, and borrows nothing.
    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}

/// Calls a function with each type inside of a type, from the outside in, as long as it says to go on.
///
/// Not generic, as each instance would compile the whole walk once more.
struct Each<'a>(&'a mut dyn FnMut(&mut Type) -> bool);

impl VisitMut for Each<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if (self.0)(ty) {
            visit_mut::visit_type_mut(self, ty);
        }
    }

    // What a function takes or gives is no part of the value.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}

fn each(ty: &Type, mut f: impl FnMut(&mut Type) -> bool) -> Type {
    let mut ty = ty.clone();
    Each(&mut f).visit_type_mut(&mut ty);
    ty
}

/// Replaces each `impl Trait` by `_`, as an annotation inside of a function wants it.
///
/// Before: `Result<impl Iterator<Item = u8> + Send, Error>`. After: `Result<_, Error>`.
pub(crate) fn infer_impl_trait(ty: &Type) -> Type {
    each(ty, |ty| {
        let Type::ImplTrait(found) = ty else { return true };
        let at = found.impl_token.span;
        *ty = parse_quote_spanned!(at=> _);
        false
    })
}

/// Keeps an `impl Trait` from holding the borrows of the arguments, as it does from edition 2024 on.
///
/// Before: `impl Display + Send`. After: `impl Display + Send + 'static`.
pub(crate) fn detach_impl_trait(ty: &Type) -> Type {
    each(ty, |ty| {
        if let Type::ImplTrait(found) = ty
            && found.bounds.iter().all(|bound| matches!(bound, TypeParamBound::Trait(_)))
        {
            let at = found.impl_token.span;
            found.bounds.push(parse_quote_spanned!(at=> 'static));
        }
        !matches!(ty, Type::Reference(_))
    })
}

/// The first that `f` finds inside of a type.
fn find<T>(ty: &Type, f: impl Fn(&Type) -> Option<T>) -> Option<T> {
    let mut found = None;
    each(ty, |ty| {
        found = found.take().or_else(|| f(ty));
        found.is_none()
    });
    found
}

/// The first `impl Trait` in a type: only the body tells what it is.
pub(crate) fn find_impl_trait(ty: &Type) -> Option<Span> {
    find(ty, |ty| match ty {
        Type::ImplTrait(ty) => Some(ty.impl_token.span),
        _ => None,
    })
}

/// The traits that an `impl` or `dyn` type names.
fn traits_of(ty: &Type) -> impl Iterator<Item = &PathSegment> {
    let bounds = match ty {
        Type::ImplTrait(ty) => Some(&ty.bounds),
        Type::TraitObject(ty) => Some(&ty.bounds),
        _ => None,
    };
    bounds.into_iter().flatten().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    })
}

/// The first iterator in a type that would block in the hands of the caller, and the type of its items if that is written.
pub(crate) fn find_blocking_iterator(ty: &Type) -> Option<(Span, Option<Type>)> {
    find(ty, |ty| {
        if let Some(iterator) = traits_of(ty).find(|name| name.ident.to_string().ends_with("Iterator")) {
            let item = arguments(iterator).find_map(|argument| match argument {
                GenericArgument::AssocType(item) if item.ident == "Item" => Some(item.ty.clone()),
                _ => None,
            });
            return Some((iterator.ident.span(), item));
        }
        let (name, arguments) = last_segment(ty)?;
        let is_of_std = name == "ReadDir" || name == "Lines" && !arguments.is_empty();
        is_of_std.then(|| (name.span(), None))
    })
}

/// The first `Rc` or `dyn Trait` in a type that surely belongs to its thread, and what could cross instead.
pub(crate) fn find_local(ty: &Type) -> Option<(Span, String)> {
    find(ty, |ty| {
        if let (Type::TraitObject(object), Some(first)) = (ty, traits_of(ty).next()) {
            let sync = if first.ident == "Error" { " + Sync" } else { "" };
            let is_local = traits_of(ty).all(|name| FREE.contains(&format!(" {} ", name.ident)));
            return is_local.then(|| (first.ident.span(), format!("`{} + Send{sync}`", shown(object))));
        }
        let (name, arguments) = last_segment(ty)?;
        (name == "Rc" && arguments.len() == 1).then(|| (name.span(), format!("`Arc<{}>`", shown(arguments[0]))))
    })
}

/// Traits of which it is known that they imply neither `'static` nor `Send`.
const FREE: &str =
    " AsRef Into Borrow Fn FnMut FnOnce Iterator IntoIterator Display Debug ToString Read BufRead Write Error Any ";

/// An `impl Trait` that surely may borrow, or is not `Send`, and what it must be to cross.
pub(crate) fn find_unbound_impl(ty: &Type) -> Option<(Span, String)> {
    let ty = peel(ty);
    let Type::ImplTrait(found) = ty else { return None };
    let names: Vec<String> = traits_of(ty).map(|name| format!(" {} ", name.ident)).collect();
    let is_one_of = |names: &str, name: &String| names.contains(name.as_str());
    let is_known = |name| is_one_of(FREE, name) || is_one_of(" Send Sync Sized Clone Copy ", name);
    let is_send = names.iter().any(|name| name == " Send ");
    let is_static = found.bounds.iter().any(|bound| !matches!(bound, TypeParamBound::Trait(_)));
    let is_free = names.iter().all(is_known) && names.iter().any(|name| is_one_of(FREE, name));
    if !is_free || is_send && is_static || find_borrow(ty).is_some() {
        return None;
    }
    let (send, lifetime) = (if is_send { "" } else { " + Send" }, if is_static { "" } else { " + 'static" });
    let conversion = traits_of(ty).find_map(|name| {
        let target = arguments(name).next().map(shown)?;
        match name.ident.to_string().as_str() {
            "Into" => Some(format!(", or take `#[into] ..: {target}`")),
            "AsRef" => Some(format!(", or take `#[as_ref] ..: &{target}`")),
            _ => None,
        }
    });
    let advice = format!("write `{}{send}{lifetime}`{}", shown(found), conversion.unwrap_or_default());
    Some((found.impl_token.span, advice))
}

/// The arguments in angle brackets behind a name.
fn arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    };
    arguments.into_iter().flatten()
}

/// The last segment of a path and its arguments: `Arc` and `Self` of `std::sync::Arc<Self>`.
pub(crate) fn last_segment(ty: &Type) -> Option<(&Ident, Vec<&GenericArgument>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    Some((&last.ident, arguments(last).collect()))
}

/// Looks through parentheses, and through the groups that `macro_rules!` fragments leave.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        ty => ty,
    }
}

/// The `T` of `&T`; else the type itself.
pub(crate) fn referent(ty: &Type) -> &Type {
    match peel(ty) {
        Type::Reference(reference) => &reference.elem,
        other => other,
    }
}

/// The token that best stands for a type in a message: `Rc` of `&std::rc::Rc<u8>`, else the first one.
pub(crate) fn head(ty: &Type) -> Span {
    let ty = peel(ty);
    match ty {
        Type::Reference(reference) => head(&reference.elem),
        Type::Path(path) => path.path.segments.last().map_or_else(|| ty.span(), |last| last.ident.span()),
        _ => ty.to_token_stream().into_iter().next().map_or_else(Span::call_site, |first| first.span()),
    }
}

/// Where the error type of a method's result stands: `E` of `Result<T, E>`, else the type itself.
pub(crate) fn error_type(ty: &Type) -> Span {
    match last_segment(peel(ty)) {
        Some((_, arguments)) if arguments.len() == 2 => match arguments[1] {
            GenericArgument::Type(error) => head(error),
            _ => head(ty),
        },
        _ => head(ty),
    }
}

/// What could be taken instead of a type that borrows: `Vec<String>` for `&[&str]`.
pub(crate) fn owned(ty: &Type) -> Type {
    each(ty, |ty| {
        let Type::Reference(reference) = ty else { return true };
        let elem = owned(peel(&reference.elem));
        let name = last_segment(&elem).map(|(name, _)| name.to_string());
        *ty = match (&elem, name.as_deref()) {
            (_, Some("str")) => parse_quote!(String),
            (_, Some("Path")) => parse_quote!(PathBuf),
            (_, Some("OsStr")) => parse_quote!(OsString),
            (_, Some("CStr")) => parse_quote!(CString),
            (Type::Slice(TypeSlice { elem, .. }), _) => parse_quote!(Vec<#elem>),
            (Type::TraitObject(TypeTraitObject { bounds, .. }), _) => parse_quote!(Box<dyn #bounds + Send>),
            _ => elem,
        };
        false
    })
}

/// A type as a person would write it.
pub(crate) fn shown(ty: &impl ToTokens) -> String {
    const SPACED: [&str; 20] = [
        " .", ". ", " <", "< ", " >", " ,", "& ", " ::", ":: ", "[ ", " ]", "' ", " ;", "( ", " )", "fn (", "Fn (",
        "Mut (", "Once (", "* ",
    ];
    let text = ty.to_token_stream().to_string();
    SPACED.iter().fold(text, |text, spaced| text.replace(spaced, &spaced.replace(' ', "")))
}

/// The type's tokens, or those of `()`.
pub(crate) fn or_unit(ty: Option<Type>) -> TokenStream {
    ty.map_or_else(|| quote::quote!(()), ToTokens::into_token_stream)
}
