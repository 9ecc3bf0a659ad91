//! The rules of `remote`, one small function for each part of the method that they are about.

use crate::arguments::{Argument, Inside};
use crate::errors::Errors;
use crate::function::Function;
use crate::options::Options;
use crate::self_rewrite;
use crate::types;
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{FnArg, GenericParam, Type};

/// Reports what cannot be done remotely, each at its smallest token.
pub(crate) fn check(options: &Options, function: &Function, arguments: &[Argument], errors: &mut Errors) {
    let Some(at) = options.remote else { return };
    if options.executor.is_none() && function.sig.receiver().is_none() {
        errors.at(at, "a remote function needs a remote executor; write `remote, executor = WORKERS`");
    }
    check_signature(function, errors);
    for argument in arguments {
        let pattern = match &argument.whole().inside {
            Inside::Pattern(pattern, _) => Some(pattern),
            Inside::Name(..) | Inside::Nothing => argument.pattern.as_ref(),
        };
        if let Some(pattern) = pattern {
            errors.under(
                pattern,
                "an argument of a remote function crosses whole; give it a name, and take it apart in the body",
            );
        }
    }
    let Some(body) = &function.body else { return };
    if let Some(word) = self_rewrite::find_own(body.stream()) {
        let message = if word.to_string() == "self" {
            "`self` stays in this process, and the body runs in another; pass what it needs as an argument"
        } else {
            "the body becomes a function of its own, in which there is no `Self`; write the name of the type"
        };
        errors.at(word.span(), message);
    } else if self_rewrite::rewrite(body, "self_").mentions_self {
        errors.at(function.sig.ident.span(), "`{self}` stays in this process; pass what the body needs as an argument");
    }
}

fn check_signature(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    let message = "a remote function is found by its name, and exists once; name the type, or call a generic function from the body";
    for parameter in &sig.generics.params {
        match parameter {
            GenericParam::Type(found) => errors.at(found.ident.span(), message),
            GenericParam::Const(found) => errors.at(found.ident.span(), message),
            GenericParam::Lifetime(_) => {}
        }
    }
    if let syn::Safety::Unsafe(word) = &sig.safety {
        errors.at(word.span(), "a remote function cannot be `unsafe`: its worker can promise nothing; remove `unsafe`");
    }
    let typed = sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    for ty in typed.chain(function.result()) {
        if let Type::ImplTrait(found) = types::peel(ty) {
            errors.at(found.impl_token.span, message);
        } else if let Some(word) = self_rewrite::find_own(ty.to_token_stream()) {
            errors.at(
                word.span(),
                "the body becomes a function of its own, in which there is no `Self`; write the name of the type",
            );
        }
    }
}
