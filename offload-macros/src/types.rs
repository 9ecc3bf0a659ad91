//! Questions about types: do they borrow, what would they be if they did not, do they say `impl Trait`.
//!
//! A borrow is what ties a value to its caller: an elided or named lifetime. `'static`, lifetimes bound by a
//! `for<..>` and those of function signatures (`fn(&str)`, `Fn(&str) -> &str`) tie nothing.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    BoundLifetimes, Expr, GenericArgument, GenericParam, Lifetime, ParenthesizedGenericArguments, PathArguments,
    PathSegment, Token, Type, TypeFnPtr, TypeImplTrait, TypeParamBound, TypeReference, TypeTraitObject, parse_quote,
    parse_quote_spanned,
};

/// The first place where a type borrows from its caller.
pub(crate) fn find_borrow(ty: &Type) -> Option<Span> {
    let mut borrows = Borrows::default();
    borrows.visit_type_mut(&mut ty.clone());
    borrows.first
}

/// Collects the places where a type borrows; names those that have no name, if it is told to.
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

/// Replaces each `impl Trait` by `_`, as an annotation inside of a function wants it.
///
/// Before: `Result<impl Iterator<Item = u8> + Send, Error>`. After: `Result<_, Error>`.
pub(crate) fn infer_impl_trait(ty: &Type) -> Type {
    struct Infer;
    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(found) = ty {
                let at = found.impl_token.span;
                *ty = parse_quote_spanned!(at=> _);
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
        fn visit_expr_mut(&mut self, _: &mut Expr) {}
    }
    let mut ty = ty.clone();
    Infer.visit_type_mut(&mut ty);
    ty
}

/// Keeps an `impl Trait` from holding the borrows of the arguments, as it does from edition 2024 on.
///
/// Before: `impl Display + Send`. After: `impl Display + Send + 'static`.
pub(crate) fn detach_impl_trait(ty: &Type) -> Type {
    struct Detach;
    impl VisitMut for Detach {
        fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
            visit_mut::visit_type_impl_trait_mut(self, ty);
            let says_it = |bound: &TypeParamBound| !matches!(bound, TypeParamBound::Trait(_));
            if !ty.bounds.iter().any(says_it) {
                let at = ty.impl_token.span;
                ty.bounds.push(parse_quote_spanned!(at=> 'static));
            }
        }
        fn visit_type_reference_mut(&mut self, _: &mut TypeReference) {}
        fn visit_expr_mut(&mut self, _: &mut Expr) {}
    }
    let mut ty = ty.clone();
    Detach.visit_type_mut(&mut ty);
    ty
}

/// The first `impl Trait` in a type.
pub(crate) fn find_impl_trait(ty: &Type) -> Option<Span> {
    struct Find(Option<Span>);
    impl VisitMut for Find {
        fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
            self.0.get_or_insert(ty.impl_token.span);
        }
    }
    let mut find = Find(None);
    find.visit_type_mut(&mut ty.clone());
    find.0
}

/// The first iterator in a type that would block in the hands of the caller, and the type of its items if that is written.
pub(crate) fn find_blocking_iterator(ty: &Type) -> Option<(Span, Option<Type>)> {
    struct Find(Option<(Span, Option<Type>)>);
    impl VisitMut for Find {
        fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
            let name = segment.ident.to_string();
            let is_trait = name.ends_with("Iterator");
            if is_trait || matches!(name.as_str(), "Lines" | "ReadDir") {
                self.0.get_or_insert_with(|| (segment.ident.span(), item_of(segment)));
            }
            visit_mut::visit_path_segment_mut(self, segment);
        }
        fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
        fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    }
    let mut find = Find(None);
    find.visit_type_mut(&mut ty.clone());
    find.0
}

/// Before: `Iterator<Item = u8>`. After: `u8`.
fn item_of(segment: &PathSegment) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(item.ty.clone()),
        _ => None,
    })
}

/// Traits of which it is known that they imply neither `'static` nor `Send`.
const FREE: [&str; 16] = [
    "AsRef",
    "Into",
    "Borrow",
    "Fn",
    "FnMut",
    "FnOnce",
    "Iterator",
    "IntoIterator",
    "Display",
    "Debug",
    "ToString",
    "Read",
    "BufRead",
    "Write",
    "Hash",
    "Error",
];

/// An `impl Trait` that surely may borrow, or is not `Send`, and what it must be to cross.
pub(crate) fn find_unbound_impl(ty: &Type) -> Option<(Span, String)> {
    let Type::ImplTrait(found) = peel(ty) else { return None };
    if find_borrow(ty).is_some() {
        return None;
    }
    let (mut is_free, mut is_send, mut is_static) = (false, false, false);
    for bound in &found.bounds {
        match bound {
            TypeParamBound::Trait(bound) => match bound.path.segments.last()?.ident.to_string().as_str() {
                "Send" => is_send = true,
                "Sync" | "Sized" | "Clone" | "Copy" | "Unpin" => {}
                name if FREE.contains(&name) => is_free = true,
                _ => return None,
            },
            _ => is_static = true,
        }
    }
    let (send, lifetime) = (if is_send { "" } else { " + Send" }, if is_static { "" } else { " + 'static" });
    (is_free && !(is_send && is_static)).then(|| (found.impl_token.span, format!("{}{send}{lifetime}", shown(found))))
}

/// The argument of a bound: `Path` of `AsRef<Path>`.
pub(crate) fn argument_of_bound(bounds: &Punctuated<TypeParamBound, Token![+]>, name: &str) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == name)?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        match arguments.args.first()? {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        }
    })
}

/// The first `dyn Error` that cannot leave its thread.
pub(crate) fn find_local_error(ty: &Type) -> Option<Span> {
    struct Find(Option<Span>);
    impl VisitMut for Find {
        fn visit_type_trait_object_mut(&mut self, object: &mut TypeTraitObject) {
            if let [TypeParamBound::Trait(bound)] = object.bounds.iter().collect::<Vec<_>>().as_slice()
                && bound.path.segments.last().is_some_and(|last| last.ident == "Error")
            {
                self.0.get_or_insert(bound.span());
            }
        }
    }
    let mut find = Find(None);
    find.visit_type_mut(&mut ty.clone());
    find.0
}

/// The last segment of a path and its type arguments: `Arc` and `Self` of `std::sync::Arc<Self>`.
pub(crate) fn last_segment(ty: &Type) -> Option<(&Ident, Vec<&GenericArgument>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        PathArguments::None | PathArguments::Parenthesized(_) => Vec::new(),
    };
    Some((&last.ident, arguments))
}

/// Looks through parentheses, and through the groups that `macro_rules!` fragments leave.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        ty => ty,
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
    struct Own;
    impl VisitMut for Own {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            visit_mut::visit_type_mut(self, ty);
            let Type::Reference(reference) = ty else { return };
            let elem = peel(&reference.elem);
            let name = last_segment(elem).map(|(name, _)| name.to_string());
            *ty = match (elem, name.as_deref()) {
                (_, Some("str")) => parse_quote!(String),
                (_, Some("Path")) => parse_quote!(PathBuf),
                (_, Some("OsStr")) => parse_quote!(OsString),
                (_, Some("CStr")) => parse_quote!(CString),
                (Type::Slice(slice), _) => {
                    let item = &slice.elem;
                    parse_quote!(Vec<#item>)
                }
                (Type::TraitObject(object), _) => {
                    let bounds = &object.bounds;
                    parse_quote!(Box<dyn #bounds + Send>)
                }
                _ => elem.clone(),
            };
        }
    }
    let mut ty = ty.clone();
    Own.visit_type_mut(&mut ty);
    ty
}

/// A type as a person would write it.
pub(crate) fn shown(ty: &impl ToTokens) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in [
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" :: ", "::"),
        ("[ ", "["),
        (" ]", "]"),
        ("' ", "'"),
        (" ;", ";"),
        ("( ", "("),
        (" )", ")"),
        ("fn (", "fn("),
        ("Fn (", "Fn("),
        ("FnMut (", "FnMut("),
        ("FnOnce (", "FnOnce("),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}

/// The type's tokens, or those of `()`.
pub(crate) fn or_unit(ty: Option<Type>) -> TokenStream {
    ty.map_or_else(|| quote::quote!(()), ToTokens::into_token_stream)
}
