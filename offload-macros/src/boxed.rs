//! Parameters, generics and result of the new signature; those of a `boxed` method as async-trait writes them.
//!
//! async-trait names each elided lifetime (`'life0`, ..), adds `'async_trait` and asks everything to outlive it.
//! A method must match its trait's down to these lifetimes to implement it, so they are part of what `boxed`
//! promises.

use crate::attributes;
use crate::expand::angle_brackets;
use crate::method::{GenericKind, Method, generic_name};
use crate::tokens::{self, find_colon, is_punct};
use crate::types::{self, lifetime};
use crate::validate::{Output, Plan};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

/// What stands behind a function's name.
pub(crate) struct Parts {
    pub(crate) generics: Option<TokenStream>,
    pub(crate) parameters: TokenStream,
    pub(crate) result: Option<TokenStream>,
    pub(crate) clause: TokenStream,
}

impl Parts {
    /// Chooses by what calling the method gives.
    pub(crate) fn of(plan: &Plan) -> Self {
        match plan.output {
            Output::Future => Self::plain(plan, plan.method.result.as_ref().map(|ret| quote!(-> #(#ret)*))),
            Output::Handle => {
                let (runtime, ret) = (&plan.runtime, result(plan));
                Self::plain(plan, Some(quote!(-> #runtime::JobHandle<#ret>)))
            }
            Output::BoxedFuture => Self::boxed(plan),
        }
    }

    /// As the user wrote them.
    pub(crate) fn unchanged(method: &Method) -> Self {
        Self {
            generics: angle_brackets(&method.generics),
            parameters: method.parameters.to_token_stream(),
            result: method.result.as_ref().map(|ret| quote!(-> #(#ret)*)),
            clause: method.where_clause.iter().cloned().collect(),
        }
    }

    /// Before: `<T>(&self, mut n: u32)`. After: `<T>(&self, n: u32)`.
    fn plain(plan: &Plan, result: Option<TokenStream>) -> Self {
        let method = &plan.method;
        let receiver = method.receiver.iter().map(|receiver| receiver.in_signature().into_iter().collect());
        let arguments = method.arguments.iter().enumerate().map(|(index, argument)| {
            let (attrs, ty) = (argument.handed_on(), &argument.ty);
            let name = plan.parameter_name(index + 1, argument);
            quote!(#(#attrs)* #name: #(#ty)*)
        });
        let parameters = receiver.chain(arguments).collect::<Vec<TokenStream>>();
        let clause = method.where_clause.iter().cloned().collect();
        Self { generics: angle_brackets(&method.generics), parameters: quote!((#(#parameters),*)), result, clause }
    }

    /// Before: `<T: Bound>(&self, email: &str) -> Ret`.
    /// After:
    /// ```text
    /// <'life0, 'life1, 'async_trait, T>(&'life0 self, email: &'life1 str)
    ///     -> Pin<Box<dyn Future<Output = Ret> + Send + 'async_trait>>
    /// where T: 'async_trait + Bound, 'life0: 'async_trait, 'life1: 'async_trait, Self: 'async_trait
    /// ```
    fn boxed(plan: &Plan) -> Self {
        let method = &plan.method;
        let (mut elided, mut named) = (Vec::new(), Vec::new());
        let mut parameters: Vec<TokenStream> = Vec::new();
        if let Some(receiver) = &method.receiver {
            let receiver = receiver.in_signature();
            types::named_lifetimes(&receiver, &mut named);
            parameters.push(types::name_lifetimes(&receiver, &mut elided).into_iter().collect());
        }
        for (index, argument) in method.arguments.iter().enumerate() {
            let (attrs, name) = (argument.handed_on(), plan.parameter_name(index + 1, argument));
            types::named_lifetimes(&argument.ty, &mut named);
            let ty = types::name_lifetimes(&argument.ty, &mut elided);
            parameters.push(quote!(#(#attrs)* #name: #(#ty)*));
        }
        let (generics, clause) = boxed_generics(plan, &elided, &named);
        let ret = result(plan);
        let result = quote! {
            -> ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = #ret> + ::core::marker::Send + 'async_trait,
            >>
        };
        Self { generics: Some(generics), parameters: quote!((#(#parameters),*)), result: Some(result), clause }
    }
}

fn result(plan: &Plan) -> TokenStream {
    plan.method.result.as_ref().map_or_else(|| quote!(()), |ret| ret.iter().cloned().collect())
}

/// Before: `<'a, T: Bound, const N: usize>` and `where U: Other`.
/// After: `<'a, 'life0, 'async_trait, T, const N: usize>` and
/// `where 'a: 'async_trait, T: 'async_trait + Bound, 'life0: 'async_trait, Self: 'async_trait, U: Other`.
fn boxed_generics(plan: &Plan, elided: &[Span], named: &[Ident]) -> (TokenStream, TokenStream) {
    let method = &plan.method;
    let mut lifetimes: Vec<TokenStream> = Vec::new();
    let mut others: Vec<TokenStream> = Vec::new();
    let mut bounds: Vec<TokenStream> = Vec::new();
    let mut declared: Vec<Ident> = Vec::new();
    for parameter in tokens::split_commas(&method.generics) {
        let colon = find_colon(parameter).unwrap_or(parameter.len());
        let (head, bound) = (&parameter[..colon], parameter.get(colon + 1..).unwrap_or_default());
        match generic_name(parameter) {
            Some((_, GenericKind::Const)) => others.push(parameter.iter().cloned().collect()),
            Some((name, GenericKind::Type)) => {
                // A default is refused by the compiler, but at its place in the list, as without the attribute.
                let (bound, default) = split_default(bound);
                others.push(quote!(#(#head)* #(#default)*));
                bounds.push(outlives(&quote!(#name), bound));
            }
            None => {
                let name = &head[attributes::outer_len(head)..];
                if let Some(TokenTree::Ident(name)) = name.get(1) {
                    declared.push(name.clone());
                }
                lifetimes.push(head.iter().cloned().collect());
                bounds.push(outlives(&name.iter().cloned().collect(), bound));
            }
        }
    }
    let of_the_impl = named.iter().filter(|name| !declared.contains(name));
    bounds
        .extend(of_the_impl.map(|name| outlives(&lifetime(&name.to_string(), name.span()).into_iter().collect(), &[])));
    for (number, span) in elided.iter().enumerate() {
        let name: TokenStream = lifetime(&format!("life{number}"), *span).into_iter().collect();
        bounds.push(outlives(&name, &[]));
        lifetimes.push(name);
    }
    if method.receiver.is_some() {
        bounds.push(quote!(Self: 'async_trait));
    }
    let written = method.where_clause.get(1..).unwrap_or_default();
    let clause = quote_spanned!(Span::call_site()=> where #(#bounds,)* #(#written)*);
    (quote!(<#(#lifetimes,)* 'async_trait, #(#others),*>), clause)
}

/// Before: `Bound = Default`. After: `Bound` and `= Default`.
fn split_default(bound: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    let mut angles = tokens::Angles::default();
    let default = (0..bound.len()).find(|&at| {
        angles.step(bound, at);
        angles.is_outside() && is_punct(bound.get(at), '=')
    });
    bound.split_at(default.unwrap_or(bound.len()))
}

/// After: `T: 'async_trait + Bound`.
fn outlives(name: &TokenStream, bound: &[TokenTree]) -> TokenStream {
    if bound.is_empty() {
        return quote!(#name: 'async_trait);
    }
    quote!(#name: 'async_trait + #(#bound)*)
}
