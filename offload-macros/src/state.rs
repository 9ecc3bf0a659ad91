//! `#[state]`: the argument that is not the caller's to give, but what the worker's thread owns.

use crate::errors::Errors;
use crate::function::Function;
use crate::options::Options;
use crate::types::{self, peel, shown};
use proc_macro2::Span;
use syn::{Attribute, FnArg, Meta, PatType, Type};

/// The place of `#[state]` among the attributes of an argument.
pub(crate) fn mark(attrs: &[Attribute]) -> Option<Span> {
    let mark = attrs.iter().find(|attr| attr.path().is_ident("state"))?;
    Some(mark.path().get_ident()?.span())
}

/// The attributes without `#[state]`.
pub(crate) fn without_mark(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| !attr.path().is_ident("state")).cloned().collect()
}

/// The type of the state: `Connection` of `&mut Connection`.
pub(crate) fn lent(ty: &Type) -> &Type {
    match peel(ty) {
        Type::Reference(reference) => &reference.elem,
        other => other,
    }
}

/// Reports what cannot be lent to the body.
pub(crate) fn check(options: &Options, function: &Function, errors: &mut Errors) {
    let mut first = None;
    for input in &function.sig.inputs {
        let (attrs, typed) = match input {
            FnArg::Receiver(receiver) => (&receiver.attrs, None),
            FnArg::Typed(typed) => (&typed.attrs, Some(typed)),
        };
        let Some(at) = mark(attrs) else { continue };
        match (typed, first) {
            (None, _) => {
                errors
                    .at(at, "`self` is the caller's; mark the argument that the thread owns: `#[state] name: &mut T`");
            }
            (_, Some(())) => {
                errors.at(
                    at,
                    "a thread owns one state; put both into one type, and take that: `#[state] name: &mut (A, B)`",
                );
            }
            (Some(typed), None) => {
                first = Some(());
                check_surroundings(at, options, function, errors);
                check_type(at, typed, errors);
            }
        }
    }
}

fn check_surroundings(at: Span, options: &Options, function: &Function, errors: &mut Errors) {
    if options.remote.is_some() {
        let message = "a remote function runs in another process, in which no thread owns a state; open what it needs in the body";
        errors.at(at, message);
    } else if options.executor.is_none() && function.sig.receiver().is_none() {
        errors.at(at, "the default executor has no state; name one that has: `#[blocking(executor = DB)]`");
    }
}

fn check_type(at: Span, typed: &PatType, errors: &mut Errors) {
    if typed.attrs.iter().any(|attr| attr.path().is_ident("state") && !matches!(attr.meta, Meta::Path(_))) {
        return errors.at(at, "`#[state]` takes nothing; write `#[state]` alone");
    }
    let Type::Reference(reference) = peel(&typed.ty) else {
        let message = format!("a state is borrowed from its thread; write `&mut {}`", shown(&types::owned(&typed.ty)));
        return errors.at(types::head(&typed.ty), message);
    };
    if let Some(lifetime) = &reference.lifetime {
        errors.at(lifetime.apostrophe, "a state is lent for as long as the body runs; remove the lifetime");
    } else if let Type::ImplTrait(found) = peel(&reference.elem) {
        errors.at(
            found.impl_token.span,
            "the executor is asked for a state by its type; write that, or a type parameter",
        );
    } else if let Some(at) = types::find_borrow(&reference.elem) {
        errors.at(at, "a state lives as long as its thread, so it borrows from nothing; take what it is made of, and borrow in the body");
    }
}
