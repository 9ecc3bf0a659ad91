//! The output: a [`Plan`] written as tokens.
//!
//! Every local has the hygiene of this macro and every path is absolute or goes through `__offload`, so nothing of
//! the user's can be met by accident. `__private` in the runtime holds all that is named here.

use crate::arguments::Crossing;
use crate::attributes;
use crate::crossing::{self, Call};
use crate::errors::Errors;
use crate::options::ConversionArg;
use crate::plan::{Access, Executor, Output, Plan};
use crate::remote;
use crate::self_rewrite;
use crate::signature;
use crate::stream::{self, Kind, Stream};
use crate::tokens::{hidden, list, placed_at};
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
    let call = crossing::call(plan);
    let (eager, submission, settled) = (&call.eager, submission(plan, &call), settled(plan));
    let runtime = plan.options.runtime();
    let names = quote_spanned!(Span::mixed_site()=> use #runtime::__private::{self as __offload, fallback::*};);
    let statements = match &plan.output {
        Output::Boxed { .. } => {
            quote_spanned!(Span::mixed_site()=> #names #eager ::std::boxed::Box::pin(async move { #submission #settled }))
        }
        Output::Future | Output::Handle | Output::Stream(_) => quote!(#names #submission #settled),
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
/// Of a remote call nothing is made ready here; the items of `remote` come first.
fn submission(plan: &Plan, call: &Call) -> TokenStream {
    let (site, executor, called) = (site(plan), executor(plan), called(plan));
    let has_judge = plan.options.remote.is_none() && !matches!(plan.output, Output::Stream(_));
    let judge = has_judge.then(|| judge(plan));
    let items = plan.options.remote.map(|_| remote::items(plan));
    // The twin is deprecated as well; its one caller is not to be warned of it.
    let is_deprecated = plan.twin.is_some() && attributes::have(&plan.function.attrs, "deprecated");
    let allowance = is_deprecated.then(|| quote!(#[allow(deprecated)]));
    let handle = match plan.options.wait {
        None => submitted(plan, call, &executor),
        Some(_) => submitted_to_a_permit(plan, call, &executor),
    };
    let release = plan.receiver().filter(|receiver| receiver.crossing == Crossing::ClonedArc).map(|receiver| {
        // The clone that reached the executor; the future must not keep it while it waits.
        let this = &receiver.whole().outside;
        quote!(__offload::drop(#this);)
    });
    quote_spanned! {Span::mixed_site()=>
        #items
        let __offload_site = #site;
        #judge
        #allowance
        let #called = #handle;
        #release
    }
}

/// Spanned at the executor, so that a wrong one is an error there. The block ends what the expression borrows.
fn submitted_to_a_permit(plan: &Plan, call: &Call, executor: &TokenStream) -> TokenStream {
    let at = hidden(end(executor));
    let (held, permit) = (Ident::new("__offload_executor", at), Ident::new("__offload_permit", at));
    let submitted = submitted(plan, call, &quote_spanned!(at=> &#permit));
    quote_spanned! {Span::mixed_site()=>
        {
            let #held = #executor;
            match __offload::reserve(#held).await {
                ::core::result::Result::Ok(#permit) => #submitted,
                ::core::result::Result::Err(__offload_refusal) => __offload::refuse(__offload_site, __offload_refusal),
            }
        }
    }
}

/// What a call has until its result is there.
fn called(plan: &Plan) -> Ident {
    let name = if matches!(plan.output, Output::Stream(_)) { "__offload_stream" } else { "__offload_handle" };
    Ident::new(name, Span::mixed_site())
}

/// After: `let __offload_judge = __offload::Returns::<Ret>::TYPE.__offload_judge();`: the type says which results are
/// errors. Of an `impl Trait` it is not known.
fn judge(plan: &Plan) -> TokenStream {
    let judge = match plan.function.result() {
        Some(result) if types::find_impl_trait(result).is_none() => {
            quote_spanned!(Span::mixed_site()=> __offload::Returns::<#result>::TYPE.__offload_judge())
        }
        _ => quote_spanned!(Span::mixed_site()=> __offload::Unjudged),
    };
    quote_spanned!(Span::mixed_site()=> let __offload_judge = #judge;)
}

/// After: `__offload::submit::<Ret>(executor, .., { .. move || { body } })`, as above, or with a state
/// ```text
/// __offload::Lender(&self.db).__offload_submit_with::<Ret, Connection>(.., { .. move |conn: &mut Connection| { body } })
/// ```
/// where the method's name stands at the executor, so that one without a state is reported there; for a stream
/// ```text
/// __offload::try_pull::<io::Result<_>, io::Result<String>>(__offload::Lent(&self.executor).__offload_owned(), ..)
/// __offload::push::<Result<(), E>, Row>(.., { .. move |rows: &mut Yielder<Row>| { body } })
/// ```
/// and remotely `__offload::remote::submit::<Ret>(&self.workers, __offload_site, &__OFFLOAD_FUNCTION, |packer| ..)`.
fn submitted(plan: &Plan, call: &Call, executor: &TokenStream) -> TokenStream {
    let at = hidden(plan.function.result().map_or_else(Span::call_site, types::head));
    let result = types::or_unit(plan.function.result().map(types::infer_impl_trait));
    if plan.options.remote.is_some() {
        let (submit, pack) = (quote_spanned!(at=> __offload::remote::submit::<#result>), remote::pack(plan));
        return quote_spanned!(Span::mixed_site()=> #submit(#executor, __offload_site, &__OFFLOAD_FUNCTION, #pack));
    }
    let lent = plan.state().and_then(|state| state.ty.as_ref()).map(types::referent);
    let Call { outside, inside, .. } = call;
    let made_there = plan.arguments.iter().filter(|argument| !argument.is_given()).map(|argument| {
        let way = placed_at(argument.whole().way.to_token_stream(), hidden(argument.at));
        let ty = argument.ty.as_ref().map(types::referent);
        quote_spanned!(Span::mixed_site()=> #way: &mut #ty)
    });
    let job = quote_spanned!(Span::mixed_site()=> { #outside move |#(#made_there),*| #inside });
    let Output::Stream(Stream { kind, item }) = &plan.output else {
        return match lent {
            None => quote_spanned! {Span::mixed_site()=>
                __offload::submit::<#result>(#executor, __offload_site, __offload_judge, #job)
            },
            Some(lent) => {
                let submit = Ident::new("__offload_submit_with", hidden(end(executor)));
                quote_spanned! {Span::mixed_site()=>
                    __offload::Lender(#executor).#submit::<#result, #lent>(__offload_site, __offload_judge, #job)
                }
            }
        };
    };
    let make = match (kind, lent) {
        (Kind::Pull, _) => quote_spanned!(at=> __offload::pull::<#result, #item>),
        (Kind::TryPull, _) => quote_spanned!(at=> __offload::try_pull::<#result, #item>),
        (Kind::Push(sent), None) => quote_spanned!(at=> __offload::push::<#result, #sent>),
        (Kind::Push(sent), Some(lent)) => quote_spanned!(at=> __offload::push_with::<#result, #sent, #lent, _>),
    };
    quote_spanned!(Span::mixed_site()=> #make(#executor, __offload_site, #job))
}

/// After: `let __offload_outcome = __offload::outcome(__offload_handle.await, __offload_site);
/// __offload_outcome.__offload_settle()`, or `__offload_stream.__offload_settle()`. A handle is given as it is.
///
/// The last line stands at the error type, where an error that cannot hold a refusal is reported.
fn settled(plan: &Plan) -> TokenStream {
    let called = called(plan);
    let (settled, at, of) = match &plan.output {
        Output::Handle => return called.into_token_stream(),
        Output::Stream(stream) => (called.into_token_stream(), stream::error_type(stream, &plan.function), "_stream"),
        Output::Future | Output::Boxed { .. } => {
            let at = plan.function.result().map_or_else(Span::call_site, types::error_type);
            (quote_spanned!(Span::mixed_site()=> __offload::outcome(#called.await, __offload_site)), at, "")
        }
    };
    let settled = match &plan.options.panicked {
        Some(ConversionArg::By(path)) => convert(&format!("panicked{of}"), &settled, path),
        Some(ConversionArg::None(_)) | None => settled,
    };
    match &plan.options.refused {
        None => {
            let name = Ident::new(if of.is_empty() { "__offload_outcome" } else { "__offload_stream" }, hidden(at));
            let settle = quote_spanned!(hidden(at)=> #name.__offload_settle());
            quote!(let #name = #settled; #settle)
        }
        Some(ConversionArg::None(_)) if of.is_empty() => quote!(__offload::settle_or_panic(#settled)),
        Some(ConversionArg::None(_)) => quote!(__offload::stream_or_panic(#settled)),
        Some(ConversionArg::By(path)) => convert(&format!("refused{of}"), &settled, path),
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
    // In the user's edition, `::core` may be a module of the crate.
    let (at, module) = (name.span(), quote_spanned!(Span::mixed_site()=> ::core::module_path!()));
    if plan.has_self_type {
        return quote_spanned!(at=> const { &__offload::method_site::<Self>(#text, #module) });
    }
    quote_spanned! {at=>
        const {
            fn __offload_here() {}
            &__offload::function_site(#text, #module, || __offload::name_of(&__offload_here))
        }
    }
}

/// Before: `executor = io`. After: `&self.io`, every token of it at `io`.
fn executor(plan: &Plan) -> TokenStream {
    let this = |at| plan.receiver().map(|receiver| placed_at(receiver.whole().outside.to_token_stream(), at));
    let (place, at) = match &plan.executor {
        Executor::Default => return quote!(__offload::default_executor()),
        Executor::Field(name, at) => {
            let this = this(*at);
            (quote_spanned!(*at=> #this.#name), *at)
        }
        Executor::Expression(tokens) => {
            let at = tokens.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span());
            let hygiene = plan.receiver().map_or_else(Span::mixed_site, |receiver| receiver.whole().outside.span());
            (in_parentheses(self_rewrite::on_callers_side(tokens.clone(), hygiene)), at)
        }
    };
    let lent = quote_spanned!(hidden(at)=> &#place);
    match plan.access {
        Access::Borrowed => lent,
        Access::Cloned => quote_spanned!(hidden(at)=> &__offload::Held(#lent).__offload_cloned()),
        Access::Kept => quote_spanned!(hidden(end(&lent))=> __offload::Lent(#lent).__offload_owned()),
    }
}

/// Where an expression ends.
fn end(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span())
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
