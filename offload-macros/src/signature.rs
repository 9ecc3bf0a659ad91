//! The two signatures that are written: that of the async item and that of its twin.
//!
//! A `boxed` method has that of async-trait, which names each elided lifetime (`'life0`, ..), adds `'async_trait`
//! and asks everything to outlive it. A method must match its trait's down to these lifetimes to implement it, so
//! they are part of what `boxed` promises.

use crate::arguments::{Argument, Crossing};
use crate::attributes::{self, MarkKind};
use crate::plan::{Output, Plan};
use crate::tokens::hidden;
use crate::types::{self, Borrows};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::visit_mut::VisitMut as _;
use syn::{
    FnArg, GenericParam, Lifetime, ReceiverKind, ReturnType, Signature, Token, Type, parse_quote, parse_quote_spanned,
};

/// Before: `fn find(&self, mut n: u32) -> Ret where ..`. After: `async fn find(&self, n: u32) -> Ret where ..`.
pub(crate) fn of_async(plan: &Plan) -> Signature {
    let mut sig = with_parameters(plan, false);
    let runtime = plan.options.runtime();
    match &plan.output {
        Output::Future => {
            sig.asyncness = Some(Token![async](hidden(sig.fn_token.span)));
            if let ReturnType::Type(_, ty) = &mut sig.output {
                **ty = types::detach_impl_trait(ty);
            }
        }
        Output::Handle => {
            let result = types::or_unit(plan.function.result().map(types::detach_impl_trait));
            sig.output = parse_quote!(-> #runtime::JobHandle<#result>);
        }
        Output::Boxed { lifetime, is_send } => {
            let outlived = match lifetime {
                Some(lifetime) => lifetime.clone(),
                None => name_lifetimes(&mut sig),
            };
            let result = types::or_unit(plan.function.result().cloned());
            let send = is_send.then(|| quote_spanned!(Span::mixed_site()=> + ::core::marker::Send));
            sig.output = parse_quote_spanned! {Span::mixed_site()=>
                -> ::core::pin::Pin<::std::boxed::Box<
                    dyn ::core::future::Future<Output = #result> #send + #outlived,
                >>
            };
        }
        Output::Stream(stream) => {
            let item = &stream.item;
            sig.output = parse_quote!(-> #runtime::BlockingStream<#item>);
        }
    }
    sig
}

/// Before: `fn find(&self, mut n: u32) -> Ret where ..`. After: the same under the twin's name.
pub(crate) fn of_twin(plan: &Plan, name: &Ident) -> Signature {
    let mut sig = with_parameters(plan, true);
    sig.ident = name.clone();
    sig
}

/// As the user wrote it, but async.
pub(crate) fn unchanged(plan: &Plan) -> Signature {
    let mut sig = plan.function.sig.clone();
    (sig.constness, sig.abi) = (None, None);
    sig.asyncness = Some(Token![async](hidden(sig.fn_token.span)));
    sig
}

/// With the parameters as callers give them. The twin opens them itself, so it keeps the user's patterns.
fn with_parameters(plan: &Plan, is_twin: bool) -> Signature {
    let mut sig = plan.function.sig.clone();
    // These are reported, and would be reported again.
    (sig.constness, sig.asyncness, sig.abi, sig.variadic) = (None, None, None, None);
    for (input, argument) in sig.inputs.iter_mut().zip(&plan.arguments) {
        match input {
            FnArg::Receiver(receiver) if !is_twin => {
                if matches!(argument.crossing, Crossing::Moved | Crossing::ClonedArc) {
                    receiver.mutability = None;
                }
                receiver.self_token.span = argument.whole().outside.span();
            }
            FnArg::Typed(typed) if !is_twin || argument.is_converted() => {
                *typed.ty = given_type(argument, &typed.ty);
                typed.attrs = argument.handed_on();
                *typed.pat = argument.opened(|part| &part.outside);
            }
            FnArg::Receiver(_) | FnArg::Typed(_) => {}
        }
    }
    if !is_twin {
        let mut arguments = plan.arguments.iter();
        let is_given = |_: &FnArg| arguments.next().is_none_or(Argument::is_given);
        sig.inputs = sig.inputs.into_iter().filter(is_given).collect();
    }
    sig
}

/// The type of what the caller gives.
fn given_type(argument: &Argument, declared: &Type) -> Type {
    let at = hidden(argument.at);
    match argument.mark {
        Some(MarkKind::Into) => parse_quote_spanned!(at=> impl ::core::convert::Into<#declared>),
        Some(MarkKind::AsRef) => {
            let target = types::referent(declared);
            parse_quote_spanned!(at=> impl ::core::convert::AsRef<#target>)
        }
        _ => declared.clone(),
    }
}

/// Before: `<T: Bound>(&self, email: &str)`.
/// After: `<'life0, 'life1, 'async_trait, T: 'async_trait + Bound>(&'life0 self, email: &'life1 str)
/// where 'life0: 'async_trait, 'life1: 'async_trait, Self: 'async_trait`. The bounds of what the user declared stand in
/// the list, where a `cfg` takes them away as well.
fn name_lifetimes(sig: &mut Signature) -> Lifetime {
    let mut borrows = Borrows::naming();
    for input in &mut sig.inputs {
        match input {
            FnArg::Receiver(receiver) => match &mut receiver.kind {
                ReceiverKind::Reference(and, lifetime @ None, _) => *lifetime = borrows.elided(and.span),
                ReceiverKind::Reference(_, Some(lifetime), _) => borrows.visit_lifetime_mut(lifetime),
                ReceiverKind::Typed(_, ty) => borrows.visit_type_mut(ty),
                _ => {}
            },
            FnArg::Typed(typed) => borrows.visit_type_mut(&mut typed.ty),
        }
    }
    let outlived = Lifetime::new("'async_trait", Span::call_site());
    let mut declared = Vec::new();
    for parameter in &mut sig.generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) => {
                declared.push(parameter.lifetime.clone());
                parameter.colon_token.get_or_insert_default();
                parameter.bounds.insert(0, outlived.clone());
            }
            GenericParam::Type(parameter) => {
                parameter.colon_token.get_or_insert_default();
                parameter.bounds.insert(0, parse_quote!(#outlived));
            }
            GenericParam::Const(_) => {}
        }
    }
    let elided = borrows.elided.unwrap_or_default();
    let of_the_impl = borrows.named.iter().filter(|name| !declared.contains(name));
    let mut predicates: Vec<TokenStream> = of_the_impl.chain(&elided).map(|name| quote!(#name: #outlived)).collect();
    if sig.receiver().is_some() {
        predicates.push(quote!(Self: #outlived));
    }
    let new = elided.iter().chain([&outlived]).map(|name| parse_quote!(#name));
    for (at, parameter) in new.enumerate() {
        sig.generics.params.insert(declared.len() + at, parameter);
    }
    (sig.generics.lt_token, sig.generics.gt_token) =
        (Some(Token![<](Span::call_site())), Some(Token![>](Span::call_site())));
    if !predicates.is_empty() {
        let clause = sig.generics.make_where_clause();
        for (at, predicate) in predicates.into_iter().enumerate() {
            clause.predicates.insert(at, parse_quote!(#predicate));
        }
    }
    outlived
}

/// The names of the type and const parameters, for a call that repeats them.
///
/// Where a `cfg` may take one away none is repeated: they are inferred.
pub(crate) fn generic_arguments(sig: &Signature) -> Option<TokenStream> {
    let mut names: Vec<TokenStream> = Vec::new();
    for parameter in &sig.generics.params {
        let (attrs, name) = match parameter {
            GenericParam::Type(parameter) => (&parameter.attrs, parameter.ident.to_token_stream()),
            GenericParam::Const(parameter) => (&parameter.attrs, parameter.ident.to_token_stream()),
            GenericParam::Lifetime(_) => continue,
        };
        if attributes::have(attrs, "cfg") {
            return None;
        }
        names.push(name);
    }
    (!names.is_empty()).then(|| quote!(::<#(#names),*>))
}
