//! `remote`: the body becomes a function of its own, which the linker collects, and the arguments cross as bytes.

use crate::arguments::{Argument, Crossing};
use crate::crossing::converted;
use crate::plan::Plan;
use crate::tokens::{hidden, placed_at};
use crate::types;
use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{FnArg, GenericArgument, Type};

/// Before: `{ body }`, of `fn scale(&self, picture: &[u8], edge: u32) -> Ret`.
/// After: the function, what runs it on the worker's side, and what the linker collects.
pub(crate) fn items(plan: &Plan) -> TokenStream {
    let (Some(body), sig) = (&plan.body, &plan.function.sig) else { return TokenStream::new() };
    let (lifetimes, clause, output) = (&sig.generics, &sig.generics.where_clause, &sig.output);
    let crossing = || arguments(plan);
    let parameters = sig.inputs.iter().zip(&plan.arguments).filter_map(|(input, argument)| match input {
        FnArg::Typed(typed) => {
            let (attrs, pattern, ty) = (&argument.attrs, &typed.pat, &typed.ty);
            Some(quote!(#(#attrs)* #pattern: #ty))
        }
        FnArg::Receiver(_) => None,
    });
    let taken = crossing().map(|argument| {
        let (attrs, at, name, owned) =
            (argument.handed_on(), hidden(argument.at), &argument.whole().way, owned(argument));
        quote_spanned!(at=> #(#attrs)* let #name = __offload_unpacker.take::<#owned>()?;)
    });
    let given = crossing().map(|argument| {
        let (attrs, given) = (argument.handed_on(), given(argument));
        quote!(#(#attrs)* #given)
    });
    let owned_types = crossing().map(owned);
    let result = types::or_unit(plan.function.result().cloned());
    let at = hidden(plan.function.result().map_or_else(Span::call_site, types::head));
    let end = quote_spanned!(at=> __offload_unpacker.end::<#result>);
    let (name, is_named) = match &plan.options.name {
        Some(name) => (name.token(), true),
        None => (Literal::string(&crate::function::plain_name(&sig.ident)), false),
    };
    let (runtime, written, at) = (plan.options.runtime(), &body.written, sig.ident.span());
    let module = quote_spanned!(hidden(at)=> ::core::module_path!());
    quote_spanned! {Span::mixed_site()=>
        #[allow(clippy::missing_const_for_fn, clippy::needless_pass_by_value, clippy::unnecessary_wraps)]
        fn __offload_body #lifetimes (#(#parameters),*) #output #clause #written
        fn __offload_run(
            __offload_unpacker: &mut __offload::remote::Unpacker<'_>,
        ) -> ::core::result::Result<::std::vec::Vec<u8>, __offload::remote::Failure> {
            #(#taken)*
            #end(|| __offload_body(#(#given),*))
        }
        static __OFFLOAD_FUNCTION: __offload::remote::Function = __offload::remote::Function::new(
            #module,
            #name,
            #is_named,
            __offload::remote::type_name::<fn(#(#owned_types),*) -> #result>,
            __offload_run,
        );
        #runtime::__private::remote::inventory::submit! { #runtime::__private::remote::Registration(&__OFFLOAD_FUNCTION) }
    }
}

/// After: `|packer| { packer.put(&picture); packer.put(&edge); }`, each at its type.
pub(crate) fn pack(plan: &Plan) -> TokenStream {
    let puts = arguments(plan).map(|argument| {
        let (attrs, at) = (argument.handed_on(), hidden(argument.at));
        let value = converted(argument, placed_at(argument.whole().outside.to_token_stream(), at));
        quote_spanned!(at=> #(#attrs)* __offload_packer.put(&#value);)
    });
    let mut puts = puts.peekable();
    if puts.peek().is_none() {
        return quote!(|_| {});
    }
    quote_spanned!(Span::mixed_site()=> |__offload_packer| { #(#puts)* })
}

fn arguments(plan: &Plan) -> impl Iterator<Item = &Argument> {
    plan.arguments.iter().filter(|argument| !argument.is_self)
}

/// The type that an argument is decoded as.
fn owned(argument: &Argument) -> TokenStream {
    let Some(ty) = &argument.ty else { return TokenStream::new() };
    let at = hidden(argument.at);
    match (argument.crossing, target(argument)) {
        (Crossing::Borrowed | Crossing::Cow, Some(target)) => {
            quote_spanned!(at=> <#target as ::std::borrow::ToOwned>::Owned)
        }
        (Crossing::OptionalBorrow, Some(target)) => {
            quote_spanned!(at=> ::core::option::Option<<#target as ::std::borrow::ToOwned>::Owned>)
        }
        _ => ty.to_token_stream(),
    }
}

/// The decoded argument as the body declares it.
fn given(argument: &Argument) -> TokenStream {
    let (at, way) = (hidden(argument.at), &argument.whole().way);
    match (argument.crossing, target(argument)) {
        (Crossing::Borrowed, Some(target)) => quote_spanned!(at=> ::std::borrow::Borrow::<#target>::borrow(&#way)),
        (Crossing::OptionalBorrow, Some(target)) => {
            quote_spanned!(at=> ::core::option::Option::map(#way.as_ref(), ::std::borrow::Borrow::<#target>::borrow))
        }
        (Crossing::Cow, Some(_)) => quote_spanned!(at=> ::std::borrow::Cow::Owned(#way)),
        _ => way.to_token_stream(),
    }
}

/// The `T` of `&T`, `Option<&T>` and `Cow<'_, T>`.
fn target(argument: &Argument) -> Option<&Type> {
    fn inside(ty: &Type) -> Option<&Type> {
        let (_, arguments) = types::last_segment(types::peel(ty))?;
        arguments.into_iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
    }
    let ty = argument.ty.as_ref()?;
    match argument.crossing {
        Crossing::Borrowed => Some(types::referent(ty)),
        Crossing::OptionalBorrow => inside(ty).map(types::referent),
        Crossing::Cow => inside(ty),
        _ => None,
    }
}
