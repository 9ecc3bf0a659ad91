//! The function as it was written: its signature as a syntax tree, its body as tokens.
//!
//! Reading is lenient, as code is half-typed most of the time: an argument or a result that cannot be read is
//! left out of the signature, and reported.

use crate::attributes::{Mark, MarkKind};
use crate::errors::Errors;
use crate::tokens::{as_group, is_body, is_ident, is_punct, list, mentions, regroup};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{AttrStyle, Attribute, FnArg, PatType, Result, ReturnType, Signature, Token, Visibility};

/// A function, split into its parts.
pub(crate) struct Function {
    /// The attributes before the function, and the inner ones that opened its body.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Ident>,
    pub(crate) sig: Signature,
    /// The mark of each input of the signature, which is without them.
    pub(crate) marks: Vec<Option<Mark>>,
    pub(crate) body: Option<Group>,
    /// Whether nothing had to be left out of the signature.
    pub(crate) is_complete: bool,
}

impl Function {
    /// Splits `item` into its parts; reports why, if that cannot be.
    pub(crate) fn parse(item: &TokenStream, errors: &mut Errors) -> Option<Self> {
        let whole = |input: ParseStream| Self::read(input, true);
        let mistake = match whole.parse2(item.clone()) {
            Ok(function) => return Some(function),
            Err(mistake) => mistake,
        };
        let tokens = open_groups(item.clone());
        let Some(fn_at) = (0..tokens.len()).find(|&at| is_ident(tokens.get(at), "fn") && is_name(tokens.get(at + 1)))
        else {
            report_other(&tokens, errors);
            return None;
        };
        let mut found = Errors::default();
        let incomplete = |input: ParseStream| Self::read(input, false);
        let function = repair(&tokens, fn_at, &mut found).and_then(|repaired| incomplete.parse2(repaired).ok());
        match function {
            Some(_) => errors.extend(found),
            None => errors.push(mistake),
        }
        function
    }

    fn read(input: ParseStream, is_complete: bool) -> Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let is_default = input.peek(syn::Ident) && input.fork().parse::<Ident>().is_ok_and(|word| word == "default");
        let defaultness = if is_default { Some(input.parse()?) } else { None };
        let mut sig: Signature = input.parse()?;
        let marks = sig.inputs.iter_mut().map(Mark::take).collect();
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
        Ok(Self { attrs, vis, defaultness, sig, marks, body, is_complete })
    }

    /// Whether the function is known to belong to a type, so that `Self` can be named in it.
    ///
    /// An associated function without `self` that never says `Self` cannot be told from a free one.
    pub(crate) fn names_self_type(&self) -> bool {
        self.sig.receiver().is_some() || mentions(&list(self.sig.to_token_stream()), "Self")
    }

    /// Reports an `async fn` that `#[async_trait]` has rewritten, at its `async`: that is where async-trait places the
    /// word `fn`. Whether there was one.
    pub(crate) fn report_async_trait(&self, errors: &mut Errors) -> bool {
        let (name, parameters, output) = (&self.sig.ident, &self.sig.generics.params, &self.sig.output);
        let is_rewritten = mentions(&list(quote!(#parameters #output)), "async_trait");
        if is_rewritten {
            let advice = match self.body {
                Some(_) => format!("remove `async`: inside `#[async_trait]` write `#[blocking(boxed)] fn {name}(..)`"),
                None => format!("in the trait, declare `async fn {name}(..)` without `#[blocking]`"),
            };
            errors.at(self.sig.fn_token.span, format!("`#[blocking]` makes a method async by itself; {advice}"));
        }
        is_rewritten
    }

    /// The inputs, each with its mark.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = (&FnArg, Option<&Mark>)> {
        self.sig.inputs.iter().zip(self.marks.iter().map(Option::as_ref))
    }

    /// The arguments of such a mark.
    pub(crate) fn marked(&self, kind: MarkKind) -> impl Iterator<Item = (&PatType, &Mark)> {
        self.inputs().filter_map(move |input| match input {
            (FnArg::Typed(typed), Some(mark)) if mark.kind == kind => Some((typed, mark)),
            _ => None,
        })
    }

    /// The type behind `->`.
    pub(crate) fn result(&self) -> Option<&syn::Type> {
        match &self.sig.output {
            ReturnType::Type(_, ty) => Some(ty),
            ReturnType::Default => None,
        }
    }
}

/// Reports what is no function, at the keyword that says what it is.
fn report_other(tokens: &[TokenTree], errors: &mut Errors) {
    const KEYWORDS: [&str; 12] =
        ["struct", "enum", "union", "impl", "trait", "mod", "type", "static", "use", "const", "macro_rules", "let"];
    let keyword = tokens.iter().find(|token| KEYWORDS.iter().any(|keyword| is_ident(Some(token), keyword)));
    let at = keyword.or(tokens.first()).map_or_else(Span::call_site, TokenTree::span);
    let what = keyword.map_or_else(|| "this".to_owned(), |keyword| format!("`{keyword}`"));
    let advice = "put it on a method or a function with a body, or on an `impl` block or a trait of such";
    errors.at(at, format!("`#[blocking]` cannot stand on {what}; {advice}"));
}

fn is_name(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Ident(_)))
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
fn repair(tokens: &[TokenTree], fn_at: usize, errors: &mut Errors) -> Option<TokenStream> {
    let parameters = |at: &usize| as_group(tokens.get(*at), Delimiter::Parenthesis).is_some();
    let at = (fn_at..tokens.len()).find(parameters)?;
    let mut repaired = tokens.to_vec();
    if let TokenTree::Group(group) = &tokens[at] {
        repaired[at] = regroup(group, readable(group.stream(), errors)).into();
    }
    let has_arrow = is_punct(tokens.get(at + 1), '-') && is_punct(tokens.get(at + 2), '>');
    let behind = tokens.get(at + 3);
    let has_no_type = behind.is_none() || is_body(tokens, at + 3) || is_punct(behind, ';') || is_ident(behind, "where");
    if has_arrow && has_no_type {
        repaired.drain(at + 1..at + 3);
    }
    Some(repaired.into_iter().collect())
}

/// The parameters that can be read; the others are reported.
fn readable(parameters: TokenStream, errors: &mut Errors) -> TokenStream {
    let is_at_end = |input: ParseStream| input.is_empty() || input.peek(Token![,]);
    let each = |input: ParseStream| {
        let mut read = TokenStream::new();
        while !input.is_empty() {
            let ahead = input.fork();
            match ahead.parse::<FnArg>() {
                Ok(argument) if is_at_end(&ahead) => {
                    input.advance_to(&ahead);
                    read.extend(quote!(#argument,));
                }
                _ => {
                    let mut unread = Vec::new();
                    while !is_at_end(input) {
                        unread.push(input.parse::<TokenTree>()?);
                    }
                    // Of what is merely unfinished the compiler has complained already.
                    let is_unfinished = is_name(unread.first())
                        && (unread.len() == 1 || unread.len() == 2 && is_punct(unread.get(1), ':'));
                    if !is_unfinished {
                        let unread: TokenStream = unread.into_iter().collect();
                        errors.under(unread, "expected an argument with its type; write `name: Type`");
                    }
                }
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(read)
    };
    each.parse2(parameters).unwrap_or_default()
}

/// Moves the inner attributes of a body out, to where they act on the whole function.
///
/// Before: `{ #![allow(unused)] work() }`. After: `#[allow(unused)]` among `attrs`, and `{ work() }`.
fn hoist_inner(body: &Group, attrs: &mut Vec<Attribute>) -> Group {
    let split = |input: ParseStream| Ok((input.call(Attribute::parse_inner)?, input.parse()?));
    match split.parse2(body.stream()) {
        Ok((inner, rest)) if !inner.is_empty() => {
            attrs.extend(inner.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
            regroup(body, rest)
        }
        _ => body.clone(),
    }
}

/// The name without `r#`.
pub(crate) fn plain_name(name: &Ident) -> String {
    name.unraw().to_string()
}
