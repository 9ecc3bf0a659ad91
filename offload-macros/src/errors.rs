//! Collects every independent mistake, each with the tokens it stands at.
//!
//! Messages begin in lower case, carry no full stop, put code in backticks and say what to write
//! instead. All of them are reported by one expansion.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
}

impl Errors {
    /// Reports `message` at one token.
    pub(crate) fn at(&mut self, span: Span, message: impl Into<String>) {
        self.found.push(syn::Error::new(span, message.into()));
    }

    /// Reports `message` under all of `tokens`, or at the attribute if there are none.
    pub(crate) fn under(&mut self, tokens: impl ToTokens, message: impl Into<String>) {
        self.found.push(syn::Error::new_spanned(tokens, message.into()));
    }

    /// Reports what the parser found.
    pub(crate) fn push(&mut self, mistake: syn::Error) {
        self.found.push(mistake);
    }

    /// Reports all of `others` behind these.
    pub(crate) fn extend(&mut self, others: Self) {
        self.found.extend(others.found);
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Takes out the mistake found last, as one `compile_error!`.
    pub(crate) fn take_last(&mut self) -> Option<TokenStream> {
        self.found.pop().map(syn::Error::into_compile_error)
    }

    /// One `compile_error!` for each mistake, in the order found.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.found.into_iter().map(syn::Error::into_compile_error).collect()
    }
}
