//! The output: a [`Plan`] written as tokens.
//!
//! Every local has the hygiene of this macro and every path is absolute or goes through `__offload`, so nothing of
//! the user's can be met by accident. `__private` in the runtime holds all that is named here.

use crate::arguments::{Argument, Crossing};
use crate::attributes;
use crate::crossing::{self, Call};
use crate::errors::Errors;
use crate::plan::{self, Executor, Output, Plan, Refusal, WhenFull};
use crate::remote;
use crate::self_rewrite;
use crate::signature;
use crate::state;
use crate::stream::{self, Kind, Stream};
use crate::tokens::{self, hidden, list};
use crate::types;
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

/// Before: `fn find(&self) -> Ret { body }`.
/// After: the method that submits, and the twin if one is kept.
pub(crate) fn items(plan: &Plan) -> TokenStream {
    let head = head(plan);
    let sig = signature::of_async(plan);
    if plan.body.is_none() {
        return quote!(#head #sig;);
    }
    let (eager, submission) = if plan.remote.is_some() {
        (TokenStream::new(), remote_submission(plan))
    } else if let Output::Stream(stream) = &plan.output {
        (TokenStream::new(), stream_submission(plan, stream))
    } else {
        let Call { eager, outside, inside } = crossing::call(plan);
        (eager, submission(plan, &outside, &inside))
    };
    let runtime = &plan.runtime;
    let names = quote_spanned!(Span::mixed_site()=> use #runtime::__private::{self as __offload, fallback::*};);
    let statements = match &plan.output {
        Output::Handle => quote_spanned!(Span::mixed_site()=> #names #submission __offload_handle),
        Output::Future => {
            let settled = settled(plan);
            quote!(#names #submission #settled)
        }
        Output::Stream(stream) => {
            let settled = settled_stream(plan, stream);
            quote!(#names #submission #settled)
        }
        Output::Boxed { .. } => {
            let settled = settled(plan);
            quote!(#names #eager ::std::boxed::Box::pin(async move { #submission #settled }))
        }
    };
    let twin = twin_item(plan);
    quote!(#head #sig { #statements } #twin)
}

/// The signature is final even where rules are broken, so that callers see no second error. The body stays where
/// it fits, so that its own mistakes and completions still show. Elsewhere an error stands in its place, which is of
/// any type, even of an `impl Trait`.
pub(crate) fn items_despite_errors(plan: &Plan, errors: &mut Errors) -> TokenStream {
    let (head, twin) = (head(plan), twin_item(plan));
    match &plan.body {
        Some(body) if plan.fits_unchanged => {
            let (sig, body) = (signature::unchanged(plan), &body.written);
            quote!(#head #sig #body #twin)
        }
        _ => {
            let sig = signature::of_async(plan);
            // Of what is half typed the compiler has complained. Should it not have, this is an error once all else is right.
            let unread = || quote!(const { ::core::panic!("`#[blocking]` could not read this signature") });
            let last = errors.take_last().unwrap_or_else(unread);
            quote!(#head #sig { #last } #twin)
        }
    }
}

/// After: `#[must_use] pub default`, what stands before the signature.
fn head(plan: &Plan) -> TokenStream {
    let attrs = attributes::for_async(&plan.function.attrs, plan.twin.is_some());
    let (vis, defaultness) = (&plan.function.vis, &plan.function.defaultness);
    quote!(#(#attrs)* #vis #defaultness)
}

/// Before: `{ body }`.
/// After:
/// ```text
/// let __offload_site = const { &__offload::method_site::<Self>("find", ::core::module_path!()) };
/// let __offload_judge = __offload::Returns::<Ret>::TYPE.__offload_judge();
/// let __offload_handle = __offload::submit::<Ret>(&self.executor, __offload_site, __offload_judge, {
///     let email = __offload::Argument(email).__offload_detach();
///     move || { let email = __offload::borrow(&email); { body } }
/// });
/// ```
/// With `wait`, nothing is made ready before there is room:
/// ```text
/// let __offload_handle = {
///     let __offload_executor = &self.executor;
///     match __offload::reserve(__offload_executor).await {
///         Ok(__offload_permit) => __offload::submit::<Ret>(&__offload_permit, __offload_site, __offload_judge, { .. }),
///         Err(__offload_refusal) => __offload::refuse(__offload_site, __offload_refusal),
///     }
/// };
/// ```
fn submission(plan: &Plan, outside: &TokenStream, inside: &TokenStream) -> TokenStream {
    let result = types::or_unit(plan.function.result().map(types::infer_impl_trait));
    let (site, executor, judge) = (site(plan), executor(plan), judge(plan));
    let release = plan.receiver().filter(|receiver| receiver.crossing == Crossing::ClonedArc).map(|receiver| {
        // The clone that reached the executor; the future must not keep it while it waits.
        let this = receiver.this(receiver.at);
        quote!(__offload::drop(#this);)
    });
    // The twin is deprecated as well; its one caller is not to be warned of it.
    let is_deprecated = plan.twin.is_some() && attributes::are_deprecated(&plan.function.attrs);
    let allowance = is_deprecated.then(|| quote!(#[allow(deprecated)]));
    let submit = |executor: &TokenStream| match plan.state() {
        None => quote_spanned! {Span::mixed_site()=>
            __offload::submit::<#result>(#executor, __offload_site, __offload_judge, {
                #outside
                move || #inside
            })
        },
        Some(state) => submit_with(state, &result, executor, outside, inside),
    };
    let handle = if plan.when_full == WhenFull::Wait {
        // Spanned at the executor, so that a wrong one is an error there. The block ends what the expression borrows.
        let at = executor.clone().into_iter().last().map_or_else(Span::mixed_site, |last| last.span());
        let at = Span::mixed_site().located_at(at);
        let (held, permit) = (Ident::new("__offload_executor", at), Ident::new("__offload_permit", at));
        let submit = submit(&quote_spanned!(at=> &#permit));
        quote_spanned! {Span::mixed_site()=>
            {
                let #held = #executor;
                match __offload::reserve(#held).await {
                    ::core::result::Result::Ok(#permit) => #submit,
                    ::core::result::Result::Err(__offload_refusal) => __offload::refuse(__offload_site, __offload_refusal),
                }
            }
        }
    } else {
        submit(&executor)
    };
    quote_spanned! {Span::mixed_site()=>
        let __offload_site = #site;
        let __offload_judge = #judge;
        #allowance
        let __offload_handle = #handle;
        #release
    }
}

/// After: `__offload::Returns::<Ret>::TYPE.__offload_judge()`: the type says which results are errors. Of an `impl Trait` it is not known.
fn judge(plan: &Plan) -> TokenStream {
    match plan.function.result() {
        Some(result) if !types::has_impl_trait(result) => {
            quote_spanned!(Span::mixed_site()=> __offload::Returns::<#result>::TYPE.__offload_judge())
        }
        _ => quote_spanned!(Span::mixed_site()=> __offload::Unjudged),
    }
}

/// After:
/// ```text
/// __offload::Lender(&self.db).__offload_submit_with::<Ret, Connection>(__offload_site, __offload_judge, {
///     let text = __offload::Argument(text).__offload_detach();
///     move |conn: &mut Connection| { let conn = conn; let text = __offload::borrow(&text); { body } }
/// })
/// ```
///
/// The method's name stands at the executor, where one that has no state is reported.
fn submit_with(
    state: &Argument,
    result: &TokenStream,
    executor: &TokenStream,
    outside: &TokenStream,
    inside: &TokenStream,
) -> TokenStream {
    let name = tokens::placed_at(state.name.to_token_stream(), hidden(state.at));
    let lent = state.ty.as_ref().map(state::lent);
    let last = executor.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
    let submit = Ident::new("__offload_submit_with", hidden(last));
    quote_spanned! {Span::mixed_site()=>
        __offload::Lender(#executor).#submit::<#result, #lent>(__offload_site, __offload_judge, {
            #outside
            move |#name: &mut #lent| #inside
        })
    }
}

/// Before: `{ body }`.
/// After: the items of `remote`, then
/// ```text
/// let __offload_site = ..;
/// let __offload_handle = __offload::remote::submit::<Ret>(&self.workers, __offload_site, &__OFFLOAD_FUNCTION, |packer| ..);
/// ```
fn remote_submission(plan: &Plan) -> TokenStream {
    let result = types::or_unit(plan.function.result().cloned());
    let (site, executor, items, pack) = (site(plan), executor(plan), remote::items(plan), remote::pack(plan));
    let at = hidden(plan.function.result().map_or_else(Span::call_site, types::head));
    let submit = quote_spanned!(at=> __offload::remote::submit::<#result>);
    quote_spanned! {Span::mixed_site()=>
        #items
        let __offload_site = #site;
        let __offload_handle = #submit(#executor, __offload_site, &__OFFLOAD_FUNCTION, #pack);
    }
}

/// Before: `{ body }`.
/// After:
/// ```text
/// let __offload_site = ..;
/// let __offload_stream = __offload::try_pull::<io::Result<_>, io::Result<String>>(__offload::Lent(&self.executor).__offload_owned(), __offload_site, {
///     let path = __offload::Argument(path).__offload_detach();
///     move || { let path = __offload::borrow(&path); { body } }
/// });
/// ```
/// or, where the body sends, `__offload::push::<Result<(), E>, Row>(.., move |rows: &mut Yielder<Row>| ..)`.
fn stream_submission(plan: &Plan, stream: &Stream) -> TokenStream {
    let Call { outside, inside, .. } = crossing::call(plan);
    let result = types::or_unit(plan.function.result().map(types::infer_impl_trait));
    let (site, executor, runtime) = (site(plan), owned_executor(plan), &plan.runtime);
    let is_deprecated = plan.twin.is_some() && attributes::are_deprecated(&plan.function.attrs);
    let allowance = is_deprecated.then(|| quote!(#[allow(deprecated)]));
    let at = hidden(plan.function.result().map_or_else(Span::call_site, types::head));
    let item = &stream.item;
    let (make, out) = match &stream.kind {
        Kind::Pull => (quote_spanned!(at=> __offload::pull::<#result, #item>), None),
        Kind::TryPull => (quote_spanned!(at=> __offload::try_pull::<#result, #item>), None),
        Kind::Push(sent) => {
            let name = plan
                .arguments
                .iter()
                .find(|argument| argument.crossing == Crossing::Out)
                .map(|argument| &argument.name);
            let out = quote_spanned!(Span::mixed_site()=> #name: &mut #runtime::Yielder<#sent>);
            match plan.state() {
                None => (quote_spanned!(at=> __offload::push::<#result, #sent>), Some(out)),
                Some(state) => {
                    let name = tokens::placed_at(state.name.to_token_stream(), hidden(state.at));
                    let lent = state.ty.as_ref().map(state::lent);
                    let make = quote_spanned!(at=> __offload::push_with::<#result, #sent, #lent, _>);
                    (make, Some(quote_spanned!(Span::mixed_site()=> #name: &mut #lent, #out)))
                }
            }
        }
    };
    quote_spanned! {Span::mixed_site()=>
        let __offload_site = #site;
        #allowance
        let __offload_stream = #make(#executor, __offload_site, {
            #outside
            move |#out| #inside
        });
    }
}

/// After: `__offload_stream.__offload_settle()`, at the error type.
fn settled_stream(plan: &Plan, stream: &Stream) -> TokenStream {
    let streamed = quote_spanned!(Span::mixed_site()=> __offload_stream);
    let streamed = match &plan.panicked {
        Some(path) => convert("panicked_stream", &streamed, path),
        None => streamed,
    };
    match &plan.refusal {
        Refusal::ByType => {
            let at = hidden(stream::error_type(stream, &plan.function));
            let name = Ident::new("__offload_stream", at);
            let settle = quote_spanned!(at=> #name.__offload_settle());
            quote!(let #name = #streamed; #settle)
        }
        Refusal::Panic => quote!(__offload::stream_or_panic(#streamed)),
        Refusal::Convert(path) => convert("refused_stream", &streamed, path),
    }
}

/// Before: `executor = io`. After: `__offload::Lent(&self.io).__offload_owned()`. A stream keeps its executor, so it has a clone.
///
/// A static, which need not be `Clone`, is used by reference.
fn owned_executor(plan: &Plan) -> TokenStream {
    let lent = executor_place(plan);
    let at = hidden(lent.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span()));
    match &plan.executor {
        Executor::Default => lent,
        Executor::Expression(tokens) if plan::is_static_path(tokens) => lent,
        _ => quote_spanned!(at=> __offload::Lent(#lent).__offload_owned()),
    }
}

/// After: `let __offload_outcome = __offload::outcome(__offload_handle.await, __offload_site);
/// __offload_outcome.__offload_settle()`.
///
/// The last line stands at the error type, where an error that cannot hold a refusal is reported.
fn settled(plan: &Plan) -> TokenStream {
    let outcome = quote_spanned!(Span::mixed_site()=> __offload::outcome(__offload_handle.await, __offload_site));
    let outcome = match &plan.panicked {
        Some(path) => convert("panicked", &outcome, path),
        None => outcome,
    };
    match &plan.refusal {
        Refusal::ByType => {
            let at = hidden(plan.function.result().map_or_else(Span::call_site, types::error_type));
            let name = Ident::new("__offload_outcome", at);
            let settle = quote_spanned!(at=> #name.__offload_settle());
            quote!(let #name = #outcome; #settle)
        }
        Refusal::Panic => quote!(__offload::settle_or_panic(#outcome)),
        Refusal::Convert(path) => convert("refused", &outcome, path),
    }
}

/// After: `__offload::refused(outcome, path)`, where a mismatch is an error at the path.
fn convert(function: &str, outcome: &TokenStream, path: &Expr) -> TokenStream {
    let at = hidden(path.span());
    let function = Ident::new(function, at);
    quote_spanned!(at=> __offload::#function(#outcome, #path))
}

/// After: `const { &__offload::method_site::<Self>("find", ::core::module_path!()) }`, at the method's name.
///
/// A function that may be free or not is asked by the name of a function inside of it.
fn site(plan: &Plan) -> TokenStream {
    let name = &plan.function.sig.ident;
    let text = Literal::string(&crate::function::plain_name(name));
    let at = name.span();
    if plan.has_self_type {
        return quote_spanned!(at=> const { &__offload::method_site::<Self>(#text, ::core::module_path!()) });
    }
    quote_spanned! {at=>
        const {
            fn __offload_here() {}
            &__offload::function_site(#text, ::core::module_path!(), || __offload::name_of(&__offload_here))
        }
    }
}

/// Before: `executor = io`. After: `&self.io`, every token of it at `io`.
///
/// Where the value that holds it moves to the worker, be it `self` or an argument, the executor is cloned first.
fn executor(plan: &Plan) -> TokenStream {
    let lent = executor_place(plan);
    if plan.clones_executor {
        let at = hidden(lent.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span()));
        quote_spanned!(at=> &__offload::Held(#lent).__offload_cloned())
    } else {
        lent
    }
}

/// A reference to the executor, before it is cloned.
fn executor_place(plan: &Plan) -> TokenStream {
    let (place, at) = match &plan.executor {
        Executor::Default => return quote!(__offload::default_executor()),
        Executor::Field(name, at) => {
            let this = plan.receiver().and_then(|receiver| receiver.this(*at));
            (quote_spanned!(*at=> #this.#name), *at)
        }
        Executor::Expression(tokens) => {
            let at = tokens.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span());
            let this = plan.receiver().and_then(|receiver| receiver.this(at));
            let hygiene = this.map_or_else(Span::mixed_site, |this| this.span());
            (in_parentheses(self_rewrite::on_callers_side(tokens.clone(), hygiene)), at)
        }
    };
    quote_spanned!(hidden(at)=> &#place)
}

/// Parentheses where `&` would bind to less than the whole expression.
fn in_parentheses(place: TokenStream) -> TokenStream {
    let tokens = list(place.clone());
    let is_simple = tokens.iter().all(|token| match token {
        TokenTree::Ident(word) => word != "as",
        TokenTree::Group(_) | TokenTree::Literal(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), '.' | ':' | '?' | '$'),
    });
    let at = tokens.first().map_or_else(Span::call_site, TokenTree::span);
    if is_simple { place } else { quote_spanned!(hidden(at)=> (#place)) }
}

/// Before: `fn find(&self) -> Ret { body }`. After: the same under the twin's name.
fn twin_item(plan: &Plan) -> Option<TokenStream> {
    let (twin, body) = (plan.twin.as_ref()?, plan.body.as_ref()?);
    let function = &plan.function;
    let attrs = attributes::for_twin(&function.attrs);
    let (vis, defaultness, docs) =
        (&function.vis, &function.defaultness, attributes::docs_of_twin(&function.sig.ident));
    let sig = signature::of_twin(plan, &twin.name);
    let opening = crossing::opening_of_twin(plan);
    let body = if opening.is_empty() {
        body.written.to_token_stream()
    } else {
        let body = &body.written;
        quote!({ #opening #body })
    };
    let guard = twin.is_guarded.then(|| guard(&twin.name));
    Some(quote! {
        #docs
        #[allow(clippy::missing_const_for_fn, clippy::needless_pass_by_value)]
        #(#attrs)* #vis #defaultness #sig #body
        #guard
    })
}

/// An item that the impl of a trait has no room for. There, `Self::find_sync` could be an inherent method of that name.
fn guard(twin: &Ident) -> TokenStream {
    let name = format_ident!("__offload_in_the_impl_of_a_trait_write_sync_as_Trait_{}", twin, span = twin.span());
    quote_spanned! {twin.span()=>
        #[doc(hidden)]
        #[allow(dead_code, non_snake_case, clippy::missing_const_for_fn)]
        fn #name() where Self: ::core::marker::Sized {}
    }
}
