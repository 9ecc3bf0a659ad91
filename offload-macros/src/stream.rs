//! `stream`: what the items are, by the spelling of the result and of `#[out]`, and the rules of both.
//!
//! A method without `#[out]` returns an iterator or a `Result` of one. The name of the type decides which. A method with `#[out]` sends the items.

use crate::attributes::MarkKind;
use crate::errors::Errors;
use crate::function::Function;
use crate::options::Options;
use crate::types::{self, head, last_segment, peel, shown};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, PathArguments, Type, parse_quote};

/// The stream that a method returns.
pub(crate) struct Stream {
    /// The type of its items.
    pub(crate) item: TokenStream,
    pub(crate) kind: Kind,
}

/// What produces the items.
pub(crate) enum Kind {
    /// An iterator that the body returns.
    Pull,
    /// An iterator in a `Result`.
    TryPull,
    /// The body sends values of this type.
    Push(Box<Type>),
}

/// Decides what the stream is, and reports what cannot be one. `None`: the method returns none.
pub(crate) fn decide(options: &Options, function: &Function, errors: &mut Errors) -> Option<Stream> {
    let outs: Vec<_> = function.marked(MarkKind::Out).collect();
    let Some(at) = options.stream else {
        for (_, mark) in outs {
            errors.at(mark.at(), "`#[out]` is what a stream sends its items to; write `#[blocking(stream)]`");
        }
        return None;
    };
    for (_, mark) in outs.iter().skip(1) {
        errors.at(mark.at(), "a stream has one `#[out]`; send a tuple or an `enum`, or write two methods");
    }
    let result = function.result();
    if let (None, Some((state, _))) = (outs.first(), function.marked(MarkKind::State).next()) {
        let message = "an iterator leaves the thread whose state it would use; send the items to an argument `#[out] ..: &mut Yielder<Item>`";
        errors.at(head(&state.ty), message);
    }
    let stream = match (outs.first(), result) {
        (Some((out, _)), _) => sent(&out.ty, errors).and_then(|sent| push(sent, result, &options.runtime(), errors)),
        (None, Some(result)) => pull(result, errors),
        (None, None) => {
            let message =
                "a stream needs an iterator as its result, or an argument `#[out] ..: &mut Yielder<Item>` to send to";
            errors.at(at, message);
            None
        }
    };
    // What callers see where the items are not known.
    Some(stream.unwrap_or_else(|| Stream { item: quote!(()), kind: Kind::Pull }))
}

/// The `T` of `#[out] ..: &mut Yielder<T>`.
fn sent(ty: &Type, errors: &mut Errors) -> Option<Type> {
    if let Type::Reference(reference) = peel(ty)
        && reference.mutability.is_some()
        && let Some((_, arguments)) = last_segment(peel(&reference.elem))
        && let [GenericArgument::Type(sent)] = arguments.as_slice()
    {
        return Some(sent.clone());
    }
    errors.at(head(ty), format!("items are sent to a `&mut Yielder<Item>`, not to a `{}`", shown(ty)));
    None
}

/// Before: `Result<(), E>`, with `T` sent. After: `Result<T, E>`.
fn push(sent: Type, result: Option<&Type>, runtime: &TokenStream, errors: &mut Errors) -> Option<Stream> {
    let is_unit = |ty: &Type| matches!(peel(ty), Type::Tuple(tuple) if tuple.elems.is_empty());
    let item = match result {
        None => sent.to_token_stream(),
        Some(ty) if is_unit(ty) => sent.to_token_stream(),
        Some(ty) => match first_of_result(ty) {
            Some(unit) if is_unit(unit) => with_first(ty, &sent).to_token_stream(),
            None if matches!(peel(ty), Type::Path(_)) && !is_plain(ty) => {
                quote!(<#ty as #runtime::__private::Sent<#sent>>::Item)
            }
            _ => {
                let message = "a method with `#[out]` sends its items; return `()` or a `Result<(), E>`";
                errors.at(head(ty), message);
                return None;
            }
        },
    };
    Some(Stream { item, kind: Kind::Push(Box::new(sent)) })
}

/// Before: `io::Result<impl Iterator<Item = io::Result<String>> + use<>>`. After: `io::Result<String>`.
fn pull(result: &Type, errors: &mut Errors) -> Option<Stream> {
    let (iterator, kind) = match first_of_result(result) {
        Some(iterator) => (iterator, Kind::TryPull),
        None => (result, Kind::Pull),
    };
    let iterator = peel(iterator);
    let is_box = last_segment(iterator).is_some_and(|(name, _)| name == "Box");
    let item = match types::find_blocking_iterator(iterator) {
        Some((_, Some(item))) if is_box || matches!(iterator, Type::ImplTrait(_)) => item.into_token_stream(),
        _ if matches!(iterator, Type::Path(_)) && types::find_impl_trait(iterator).is_none() && !is_plain(iterator) => {
            quote!(<#iterator as ::core::iter::Iterator>::Item)
        }
        Some((at, None)) => {
            errors.at(at, "the items of a stream have to be named; write `impl Iterator<Item = ..>`");
            return None;
        }
        _ => {
            let message = "a stream is made of an iterator; return an `impl Iterator<Item = ..>`, or send the items to an argument \
                           `#[out] ..: &mut Yielder<Item>`";
            errors.at(head(iterator), message);
            return None;
        }
    };
    if let (Kind::TryPull, Ok(item)) = (&kind, syn::parse2::<Type>(item.clone()))
        && is_plain(&item)
    {
        let fallible = shown(&with_first(result, &item));
        let message = format!(
            "a stream that may fail to begin has `Result`s as its items; write `impl Iterator<Item = {fallible}>`"
        );
        errors.at(head(&item), message);
        return None;
    }
    Some(Stream { item, kind })
}

/// Whether a type surely is neither a `Result` nor an iterator: a number, a list, a tuple.
fn is_plain(ty: &Type) -> bool {
    match last_segment(peel(ty)) {
        Some((name, _)) => {
            let name = name.to_string();
            name.starts_with(char::is_lowercase) || ["String", "Vec", "Option"].contains(&name.as_str())
        }
        None => matches!(peel(ty), Type::Tuple(_) | Type::Array(_) | Type::Reference(_)),
    }
}

/// The `T` of `Result<T, E>`, `io::Result<T>` or another type of such a name.
fn first_of_result(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = peel(ty) else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let is_result = last.ident.to_string().ends_with("Result");
    arguments.args.iter().filter(|_| is_result).find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The same `Result` of another type.
fn with_first(ty: &Type, first: &Type) -> Type {
    let mut ty = peel(ty).clone();
    if let Type::Path(path) = &mut ty
        && let Some(last) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut last.arguments
        && let Some(argument) = arguments.args.iter_mut().find(|argument| matches!(argument, GenericArgument::Type(_)))
    {
        *argument = parse_quote!(#first);
    }
    ty
}

/// Where an error type that cannot hold a refusal is reported.
pub(crate) fn error_type(stream: &Stream, function: &Function) -> proc_macro2::Span {
    let of_item = syn::parse2::<Type>(stream.item.clone())
        .ok()
        .filter(|item| matches!(item, Type::Path(path) if path.qself.is_none()));
    match (of_item, function.result()) {
        (Some(item), _) => types::error_type(&item),
        (None, Some(result)) => types::error_type(result),
        (None, None) => stream.item.span(),
    }
}
