//! The output: a [`Plan`] written as tokens.
//!
//! Every local has the hygiene of this macro and every path is absolute or goes through `__offload`, so nothing of
//! the user's can be met by accident. `__private` in the runtime holds all that is named here.

use crate::args::Args;
use crate::argument::{Argument, Crossing};
use crate::attributes::Destination;
use crate::boxed::Parts;
use crate::call::Call;
use crate::errors::Errors;
use crate::method::Method;
use crate::receiver::Form;
use crate::self_rewrite;
use crate::tokens::hidden;
use crate::types;
use crate::validate::{self, Executor, Output, Plan};
use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

/// The attribute: options and item in, items out.
pub(crate) fn blocking(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(args, &mut errors);
    let plan = match Method::parse(item.clone()) {
        Ok(method) if method.is_boxed_already() => {
            validate::async_trait_was_first(&method, &mut errors);
            return [errors.into_tokens(), item].into_iter().collect();
        }
        Ok(method) => validate::validate(args, method, &mut errors),
        Err(found) => {
            validate::not_a_function(&found, &mut errors);
            return [item, errors.into_tokens()].into_iter().collect();
        }
    };
    let items = if errors.is_empty() { plan.items() } else { plan.items_despite_errors(&mut errors) };
    [errors.into_tokens(), items].into_iter().collect()
}

impl Plan {
    /// Before: `fn find(&self) -> Ret { body }`.
    /// After: the method that submits, and the twin if one is kept.
    fn items(&self) -> TokenStream {
        let method = match (&self.method.body, self.output) {
            (None, _) => {
                let signature = self.signature();
                quote!(#signature;)
            }
            (Some(body), Output::Handle) => {
                let (signature, statements) = (self.signature(), self.submission(body));
                quote_spanned!(Span::mixed_site()=> #signature { #statements __offload_handle })
            }
            (Some(body), Output::Future) => {
                let (signature, statements) = (self.signature(), self.awaited(body));
                quote!(#signature { #statements })
            }
            (Some(body), Output::BoxedFuture) => {
                let (signature, statements) = (self.signature(), self.awaited(body));
                quote!(#signature { ::std::boxed::Box::pin(async move { #statements }) })
            }
        };
        let twin = self.twin_item();
        quote!(#method #twin)
    }

    /// The signature is final even where rules are broken, so that callers see no second error. The body stays where
    /// it fits, so that its own mistakes and completions still show. Elsewhere an error stands in its place, which is of
    /// any type, even of an `impl Trait`.
    fn items_despite_errors(&self, errors: &mut Errors) -> TokenStream {
        let twin = self.twin_item();
        match &self.method.body {
            Some(body) if self.fits_unchanged => {
                let signature = self.signature_of(Parts::unchanged(&self.method));
                quote!(#signature #body #twin)
            }
            _ => {
                let (signature, last) = (self.signature(), errors.take_last());
                quote!(#signature { #last } #twin)
            }
        }
    }

    /// Before: `pub fn find(&self, (a, mut b): (A, B)) -> Ret where ..`.
    /// After: `pub async fn find(&self, __offload_arg1: (A, B)) -> Ret where ..`.
    fn signature(&self) -> TokenStream {
        self.signature_of(Parts::of(self))
    }

    fn signature_of(&self, parts: Parts) -> TokenStream {
        let Method { visibility, qualifiers, fn_token, name, .. } = &self.method;
        let attrs = self.method.attrs.iter().filter(|attr| !attr.is_blocking());
        let attrs = attrs.filter_map(|attr| match attr.destination() {
            Destination::Expectation if self.twin.is_some() => Some(attr.without_expectation()),
            Destination::Both | Destination::Async | Destination::Expectation => Some(attr.clone()),
            Destination::Twin => None,
        });
        let (defaultness, safety) = (&qualifiers.defaultness, &qualifiers.safety);
        let asyncness = (self.output == Output::Future).then(|| Ident::new("async", hidden(fn_token.span())));
        let Parts { generics, parameters, result, clause } = parts;
        quote! {
            #(#attrs)* #(#visibility)* #defaultness #asyncness #safety #fn_token #name #generics #parameters
            #result #clause
        }
    }

    /// Before: `{ body }`.
    /// After: `let __offload_handle = submit(..); outcome(__offload_handle.await, ..).__offload_settle()`.
    fn awaited(&self, body: &Group) -> TokenStream {
        let submission = self.submission(body);
        quote_spanned! {Span::mixed_site()=>
            #submission
            __offload::outcome(__offload_handle.await, __offload_site).__offload_settle()
        }
    }

    /// Before: `{ body }`.
    /// After:
    /// ```text
    /// use ::offload_runtime::__private::{self as __offload, fallback::*};
    /// let __offload_site = const { &__offload::method_site::<Self>("find", ::core::module_path!()) };
    /// let __offload_handle = __offload::submit::<Ret>(&self.executor, __offload_site, {
    ///     let email = __offload::Argument(email).__offload_detach();
    ///     move || { let email = __offload::borrow(&email); { body } }
    /// });
    /// ```
    fn submission(&self, body: &Group) -> TokenStream {
        let runtime = &self.runtime;
        let result = self.method.result.as_ref().map_or_else(|| quote!(()), |result| types::infer_impl_trait(result));
        let (site, executor) = (self.site(), self.executor());
        let Call { outside, inside } = self.call(body);
        let release = self.method.receiver.as_ref().filter(|receiver| matches!(receiver.form, Form::Arc)).map(
            // The clone that reached the executor; the future must not keep it while it waits.
            |receiver| {
                let this = receiver.this(receiver.token.span());
                quote!(__offload::drop(#this);)
            },
        );
        // The twin is deprecated as well; its one caller is not to be warned of it.
        let allowance = (self.calls_twin() && self.method.is_deprecated()).then(|| quote!(#[allow(deprecated)]));
        quote_spanned! {Span::mixed_site()=>
            use #runtime::__private::{self as __offload, fallback::*};
            let __offload_site = #site;
            #allowance
            let __offload_handle = __offload::submit::<#result>(#executor, __offload_site, {
                #outside
                move || #inside
            });
            #release
        }
    }

    /// After: `const { &__offload::method_site::<Self>("find", ::core::module_path!()) }`, at the method's name.
    fn site(&self) -> TokenStream {
        let name = &self.method.name;
        let text = name.to_string();
        let text = Literal::string(text.strip_prefix("r#").unwrap_or(&text));
        let function = if self.method.belongs_to_self() {
            quote_spanned!(name.span()=> method_site::<Self>)
        } else {
            quote_spanned!(name.span()=> function_site)
        };
        quote_spanned!(name.span()=> const { &__offload::#function(#text, ::core::module_path!()) })
    }

    /// Before: `executor = io`. After: `&self.io`, every token of it at `io`.
    ///
    /// Where the value that holds it moves to the worker, be it `self` or an argument, the executor is cloned first.
    fn executor(&self) -> TokenStream {
        let moves_self = self.method.receiver.as_ref().is_some_and(|receiver| matches!(receiver.form, Form::Owned));
        let (place, at, uses_what_moves) = match &self.executor {
            Executor::Default => return quote!(__offload::default_executor()),
            Executor::UsualField => {
                let at = Span::call_site().resolved_at(self.method.name.span());
                (self.field(at, &Ident::new("executor", at)), at, moves_self)
            }
            Executor::Field(name) => (self.field(name.span(), name), name.span(), moves_self),
            Executor::Index(index) => (self.field(index.span(), index), index.span(), moves_self),
            Executor::Expression(tokens) => {
                let at = tokens.first().map_or_else(Span::call_site, TokenTree::span);
                let hygiene = self.method.receiver.as_ref().map_or_else(Span::mixed_site, |receiver| receiver.hygiene);
                let place = in_parentheses(self_rewrite::on_callers_side(tokens, hygiene), tokens);
                let is_moved = |argument: &Argument| matches!(argument.crossing, Crossing::Owned);
                let mut moved = self.method.arguments.iter().filter(|argument| is_moved(argument));
                let uses_an_argument = moved.any(|argument| self.executor_mentions(argument));
                (place, at, uses_an_argument || moves_self && self_rewrite::mentions_self(tokens))
            }
        };
        if uses_what_moves {
            quote_spanned!(hidden(at)=> &__offload::Held(&#place).__offload_cloned())
        } else {
            quote_spanned!(hidden(at)=> &#place)
        }
    }

    /// After: `self.io`, at `io`.
    fn field(&self, at: Span, name: &impl ToTokens) -> TokenStream {
        let this = self.method.receiver.as_ref().map(|receiver| receiver.this(at));
        quote_spanned!(at=> #this.#name)
    }

    /// Before: `fn find(&self) -> Ret { body }`. After: the same under the twin's name.
    fn twin_item(&self) -> Option<TokenStream> {
        let (twin, body) = (self.twin.as_ref()?, self.method.body.as_ref()?);
        let Method { visibility, qualifiers, fn_token, parameters, where_clause, .. } = &self.method;
        let attrs = self.method.attrs.iter().filter(|attr| attr.destination() != Destination::Async);
        let (defaultness, safety) = (&qualifiers.defaultness, &qualifiers.safety);
        let generics = angle_brackets(&self.method.generics);
        let result = self.method.result.as_ref().map(|result| quote!(-> #(#result)*));
        Some(quote! {
            #(#attrs)* #(#visibility)* #defaultness #safety #fn_token #twin #generics #parameters #result
            #(#where_clause)* #body
        })
    }
}

/// Parentheses where `&` would bind to less than the whole expression.
fn in_parentheses(place: TokenStream, tokens: &[TokenTree]) -> TokenStream {
    let is_simple = tokens.iter().all(|token| match token {
        TokenTree::Ident(word) => word != "as",
        TokenTree::Group(_) | TokenTree::Literal(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), '.' | ':' | '?' | '$'),
    });
    let at = tokens.first().map_or_else(Span::call_site, TokenTree::span);
    if is_simple || tokens.is_empty() { place } else { quote_spanned!(hidden(at)=> (#place)) }
}

/// After: `<T, const N: usize>`, or nothing.
pub(crate) fn angle_brackets(generics: &[TokenTree]) -> Option<TokenStream> {
    (!generics.is_empty()).then(|| quote!(<#(#generics)*>))
}
