//! Collects every independent mistake, each with the tokens it stands at.
//!
//! Messages begin in lower case, carry no full stop, put code in backticks and say what to write
//! instead. All of them are reported by one expansion.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    found: Vec<Mistake>,
}

struct Mistake {
    first: Span,
    last: Span,
    message: String,
}

impl Errors {
    /// Reports `message` at one token.
    pub(crate) fn at(&mut self, span: Span, message: impl Into<String>) {
        self.found.push(Mistake { first: span, last: span, message: message.into() });
    }

    /// Reports `message` under all of `tokens`, or at the attribute if there are none.
    pub(crate) fn under(&mut self, tokens: &[TokenTree], message: impl Into<String>) {
        let span_of = |token: Option<&TokenTree>| token.map_or(Span::call_site(), TokenTree::span);
        self.found.push(Mistake {
            first: span_of(tokens.first()),
            last: span_of(tokens.last()),
            message: message.into(),
        });
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// One `compile_error!` for each mistake, in the order found.
    ///
    /// Before: a mistake. After: `::core::compile_error! { "message" }`, underlining the mistake:
    /// the path begins at its first token and the braces end at its last.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.found.iter().flat_map(Mistake::to_tokens).collect()
    }
}

impl Mistake {
    fn to_tokens(&self) -> [TokenTree; 8] {
        let colon = |spacing| {
            let mut colon = Punct::new(':', spacing);
            colon.set_span(self.first);
            TokenTree::Punct(colon)
        };
        let mut bang = Punct::new('!', Spacing::Alone);
        bang.set_span(self.first);
        let mut message = Literal::string(&self.message);
        message.set_span(self.last);
        let message = TokenStream::from(TokenTree::Literal(message));
        let mut group = Group::new(Delimiter::Brace, message);
        group.set_span(self.last);
        [
            colon(Spacing::Joint),
            colon(Spacing::Alone),
            TokenTree::Ident(Ident::new("core", self.first)),
            colon(Spacing::Joint),
            colon(Spacing::Alone),
            TokenTree::Ident(Ident::new("compile_error", self.first)),
            TokenTree::Punct(bang),
            TokenTree::Group(group),
        ]
    }
}
