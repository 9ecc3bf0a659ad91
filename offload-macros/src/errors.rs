//! Collects every independent mistake, each with the tokens it stands at.
//!
//! Messages begin in lower case, carry no full stop, put code in backticks and say what to write
//! instead. All of them are reported by one expansion.

use proc_macro2::{Span, TokenStream, TokenTree};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    found: Option<syn::Error>,
}

impl Errors {
    /// Reports `message` at one token.
    pub(crate) fn at(&mut self, span: Span, message: impl Into<String>) {
        self.add(syn::Error::new(span, message.into()));
    }

    /// Reports `message` under all of `tokens`, or at the attribute if there are none.
    pub(crate) fn under(&mut self, tokens: &[TokenTree], message: impl Into<String>) {
        let tokens: TokenStream = tokens.iter().cloned().collect();
        self.add(syn::Error::new_spanned(tokens, message.into()));
    }

    fn add(&mut self, mistake: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(mistake),
            None => self.found = Some(mistake),
        }
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// Takes out the mistake found last, as one `compile_error!`.
    pub(crate) fn take_last(&mut self) -> Option<TokenStream> {
        let mut found: Vec<syn::Error> = self.found.take()?.into_iter().collect();
        let last = found.pop()?;
        for mistake in found {
            self.add(mistake);
        }
        Some(last.into_compile_error())
    }

    /// One `compile_error!` for each mistake, in the order found.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.found.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}
