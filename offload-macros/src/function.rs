//! The function as it was written: its signature as a syntax tree, its body as tokens.
//!
//! Reading is lenient, as code is half-typed most of the time: an argument or a result that cannot be read is
//! left out of the signature, and reported.

use crate::errors::Errors;
use crate::tokens::{as_group, is_body, is_ident, is_punct, list, mentions, regroup};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, FnArg, Result, ReturnType, Signature, Token, Visibility};

/// A function, split into its parts.
pub(crate) struct Function {
    /// The attributes before the function, and the inner ones that opened its body.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Ident>,
    pub(crate) sig: Signature,
    pub(crate) body: Option<Group>,
    /// Whether nothing had to be left out of the signature.
    pub(crate) is_complete: bool,
}

/// What the attribute stands on instead of a function.
pub(crate) enum NotAFunction {
    /// An item of another kind, by its keyword: `struct`.
    Other(Span, String),
    /// Tokens that begin no item, or a function that cannot be read.
    Unreadable(syn::Error),
}

impl Function {
    /// Splits `item` into its parts.
    pub(crate) fn parse(item: &TokenStream, errors: &mut Errors) -> std::result::Result<Self, NotAFunction> {
        let whole = |input: ParseStream| Self::read(input, true);
        let first = match whole.parse2(item.clone()) {
            Ok(function) => return Ok(function),
            Err(mistake) => mistake,
        };
        let tokens = open_groups(item.clone());
        if !begins_function(&tokens) {
            return Err(NotAFunction::of(&tokens));
        }
        let mut found = Errors::default();
        let Some(repaired) = repair(&tokens, &mut found) else { return Err(NotAFunction::Unreadable(first)) };
        let incomplete = |input: ParseStream| Self::read(input, false);
        match incomplete.parse2(repaired) {
            Ok(function) => {
                errors.extend(found);
                Ok(function)
            }
            Err(_) => Err(NotAFunction::Unreadable(first)),
        }
    }

    fn read(input: ParseStream, is_complete: bool) -> Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let is_default = input.peek(syn::Ident) && input.fork().parse::<Ident>().is_ok_and(|word| word == "default");
        let defaultness = if is_default { Some(input.parse()?) } else { None };
        let sig: Signature = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() {
            None
        } else {
            // A group without delimiters around it is what `$body:block` leaves.
            let body = open_groups(input.parse()?);
            let [TokenTree::Group(group)] = body.as_slice() else {
                return Err(input.error("expected a body or `;`"));
            };
            Some(hoist_inner(group, &mut attrs))
        };
        let rest: TokenStream = input.parse()?;
        if !rest.is_empty() {
            return Err(syn::Error::new_spanned(rest, "expected the end of the function"));
        }
        Ok(Self { attrs, vis, defaultness, sig, body, is_complete })
    }

    /// Whether the function is known to belong to a type, so that `Self` can be named in it.
    ///
    /// An associated function without `self` that never says `Self` cannot be told from a free one.
    pub(crate) fn names_self_type(&self) -> bool {
        self.sig.receiver().is_some() || mentions(&list(self.sig.to_token_stream()), "Self")
    }

    /// Whether the method was an `async fn` inside `#[async_trait]`, which has rewritten it.
    pub(crate) fn is_boxed_already(&self) -> bool {
        let is_async_trait = |token: &TokenStream| mentions(&list(token.clone()), "async_trait");
        is_async_trait(&self.sig.generics.params.to_token_stream())
            || is_async_trait(&self.sig.output.to_token_stream())
    }

    /// Reports an `async fn` inside `#[async_trait]`, at its `async`: that is where async-trait places the word `fn`.
    pub(crate) fn report_async_trait(&self, errors: &mut Errors) {
        let name = &self.sig.ident;
        let advice = match self.body {
            Some(_) => format!("remove `async`: inside `#[async_trait]` write `#[blocking(boxed)] fn {name}(..)`"),
            None => format!("in the trait, declare `async fn {name}(..)` without `#[blocking]`"),
        };
        errors.at(self.sig.fn_token.span, format!("`#[blocking]` makes a method async by itself; {advice}"));
    }

    /// The type behind `->`.
    pub(crate) fn result(&self) -> Option<&syn::Type> {
        match &self.sig.output {
            ReturnType::Type(_, ty) => Some(ty),
            ReturnType::Default => None,
        }
    }
}

impl NotAFunction {
    /// Reports it.
    pub(crate) fn report(self, errors: &mut Errors) {
        match self {
            Self::Unreadable(mistake) => errors.push(mistake),
            Self::Other(at, what) => {
                let advice = "put it on a method or a function with a body, or on an `impl` block or a trait of such";
                errors.at(at, format!("`#[blocking]` cannot stand on {what}; {advice}"));
            }
        }
    }

    fn of(tokens: &[TokenTree]) -> Self {
        const KEYWORDS: [&str; 12] =
            ["struct", "enum", "union", "impl", "trait", "mod", "type", "static", "use", "const", "macro_rules", "let"];
        let keyword = tokens.iter().find_map(|token| match token {
            TokenTree::Ident(word) if KEYWORDS.contains(&word.to_string().as_str()) => Some(word),
            _ => None,
        });
        let at = keyword.map(Ident::span).or(tokens.first().map(TokenTree::span)).unwrap_or_else(Span::call_site);
        Self::Other(at, keyword.map_or_else(|| "this".to_owned(), |keyword| format!("`{keyword}`")))
    }
}

/// Whether a `fn` with a name and a list of parameters is there.
fn begins_function(tokens: &[TokenTree]) -> bool {
    let Some(at) = tokens.iter().position(|token| is_ident(Some(token), "fn")) else { return false };
    let has_name = matches!(tokens.get(at + 1), Some(TokenTree::Ident(_)));
    has_name && tokens[at..].iter().any(|token| as_group(Some(token), Delimiter::Parenthesis).is_some())
}

/// Opens the groups without delimiters at the top level.
fn open_groups(tokens: TokenStream) -> Vec<TokenTree> {
    let mut out = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => out.extend(open_groups(group.stream())),
            token => out.push(token),
        }
    }
    out
}

/// Leaves out the parameters that cannot be read, and an arrow without a type behind it.
fn repair(tokens: &[TokenTree], errors: &mut Errors) -> Option<TokenStream> {
    let fn_at = tokens.iter().position(|token| is_ident(Some(token), "fn"))?;
    let at = (fn_at..tokens.len()).find(|&at| as_group(tokens.get(at), Delimiter::Parenthesis).is_some())?;
    let parameters = as_group(tokens.get(at), Delimiter::Parenthesis)?;
    let mut repaired = tokens.to_vec();
    repaired[at] = regroup(parameters, readable(parameters, errors)).into();
    let has_arrow = is_punct(tokens.get(at + 1), '-') && is_punct(tokens.get(at + 2), '>');
    let has_type = tokens.len() > at + 3
        && !is_body(tokens, at + 3)
        && !is_punct(tokens.get(at + 3), ';')
        && !is_ident(tokens.get(at + 3), "where");
    if has_arrow && !has_type {
        // Of this, too.
        repaired.drain(at + 1..at + 3);
    }
    Some(repaired.into_iter().collect())
}

/// The parameters that can be read; the others are reported.
fn readable(parameters: &Group, errors: &mut Errors) -> TokenStream {
    let mut read = TokenStream::new();
    let each = |input: ParseStream| {
        while !input.is_empty() {
            let begin = input.fork();
            let is_whole = |input: ParseStream| input.is_empty() || input.peek(Token![,]);
            match input.parse::<FnArg>() {
                Ok(argument) if is_whole(input) => {
                    argument.to_tokens(&mut read);
                    <Token![,]>::default().to_tokens(&mut read);
                }
                _ => {
                    let mut unread = Vec::new();
                    while !is_whole(&begin) {
                        unread.push(begin.parse::<TokenTree>()?);
                    }
                    // Of what is merely unfinished the compiler has complained already.
                    let is_unfinished = match unread.as_slice() {
                        [TokenTree::Ident(_)] => true,
                        [TokenTree::Ident(_), colon] => is_punct(Some(colon), ':'),
                        _ => false,
                    };
                    if !is_unfinished {
                        let unread: TokenStream = unread.into_iter().collect();
                        errors.under(unread, "expected an argument with its type; write `name: Type`");
                    }
                    while !is_whole(input) {
                        input.parse::<TokenTree>()?;
                    }
                }
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    // The end of the input is where it stops, so nothing is left over.
    let _ = each.parse2(parameters.stream());
    read
}

/// Moves the inner attributes of a body out, to where they act on the whole function.
///
/// Before: `{ #![allow(unused)] work() }`. After: `#[allow(unused)]` among `attrs`, and `{ work() }`.
fn hoist_inner(body: &Group, attrs: &mut Vec<Attribute>) -> Group {
    let tokens = list(body.stream());
    let mut at = 0;
    while is_punct(tokens.get(at), '#') && is_punct(tokens.get(at + 1), '!') {
        let (Some(hash), Some(brackets)) = (tokens.get(at), tokens.get(at + 2)) else { break };
        let outer: TokenStream = [hash.clone(), brackets.clone()].into_iter().collect();
        let Ok(inner) = Attribute::parse_outer.parse2(outer) else { break };
        attrs.extend(inner);
        at += 3;
    }
    if at == 0 { body.clone() } else { regroup(body, tokens[at..].iter().cloned().collect()) }
}

/// The name without `r#`.
pub(crate) fn plain_name(name: &Ident) -> String {
    name.unraw().to_string()
}
