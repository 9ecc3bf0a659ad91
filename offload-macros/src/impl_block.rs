//! The attribute on an impl block or a trait: defaults for the methods in it that are marked themselves.
//!
//! Before:
//! ```text
//! #[blocking(executor = db)] impl Notes { #[blocking] fn find(&self) {} }
//! ```
//! After:
//! ```text
//! impl Notes { #[blocking(executor = db, impl())] fn find(&self) {} }
//! ```
//! The compiler then expands the attributes of the methods, which know by `impl(..)` what is around them.

use crate::errors::Errors;
use crate::options::is_option;
use crate::tokens::{as_group, is_ident, is_punct, list, regroup};
use crate::types::find_borrow;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

/// The options that may stand on a block, as those of each method in it.
const DEFAULTS: [&str; 7] = ["executor", "wait", "handle", "boxed", "refused", "panicked", "crate"];

/// If `item` is an impl block or a trait: the same with the options of the block in each attribute inside.
pub(crate) fn expand(args: &TokenStream, item: &TokenStream, errors: &mut Errors) -> Option<TokenStream> {
    let tokens = list(item.clone());
    let (keyword, head, body) = block(&tokens)?;
    let defaults = split(args.clone());
    for (name, _) in &defaults {
        if !DEFAULTS.iter().any(|default| name == default) {
            let message = format!("`{name}` belongs to one method; write it in the attribute of that method");
            errors.at(name.span(), message);
        }
    }
    let place = place(head);
    let block = Block { defaults, place: quote!(impl(#place)) };
    let mut count = 0;
    let inside = block.attributes(body.stream(), &mut count);
    if count == 0 {
        let message = "no method in this block is marked; write `#[blocking]` on each one that blocks";
        errors.at(keyword.span(), message);
    }
    let mut out = tokens.clone();
    out.pop();
    out.push(regroup(body, inside).into());
    Some(out.into_iter().collect())
}

/// The keyword of an impl block or a trait, what stands behind it, and the braces.
fn block(tokens: &[TokenTree]) -> Option<(&Ident, &[TokenTree], &Group)> {
    let (TokenTree::Group(body), head) = tokens.split_last()? else { return None };
    if body.delimiter() != Delimiter::Brace || head.iter().any(|token| is_ident(Some(token), "fn")) {
        return None;
    }
    let at = head.iter().position(|token| is_ident(Some(token), "impl") || is_ident(Some(token), "trait"))?;
    let TokenTree::Ident(keyword) = &head[at] else { return None };
    Some((keyword, &head[at..], body))
}

/// Before: `impl<'a> Find<&'a str> for Users<'a> where ..`. After: `& Find<&'a str>`; the `&` says that the type borrows.
fn place(head: &[TokenTree]) -> Option<TokenStream> {
    let head = head.iter();
    let block: syn::ItemImpl = syn::parse2(quote!(#(#head)* {})).ok()?;
    let (of, borrows) = (block.trait_.map(|(path, _)| path), find_borrow(&block.self_ty).map(|_| quote!(&)));
    Some(quote!(#borrows #of))
}

/// Before: `executor = pool::<A, B>(), handle`. After: each option with its name.
fn split(args: TokenStream) -> Vec<(Ident, TokenStream)> {
    let tokens = list(args);
    let mut options: Vec<(Ident, TokenStream)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_option = |token: &TokenTree| matches!(token, TokenTree::Ident(name) if is_option(name));
        let begins = at == 0 || is_punct(tokens.get(at - 1), ',');
        match token {
            TokenTree::Ident(name) if begins && is_option(token) => {
                options.push((name.clone(), name.clone().into_token_stream()));
            }
            TokenTree::Punct(comma) if comma.as_char() == ',' && tokens.get(at + 1).is_none_or(is_option) => {}
            token => match options.last_mut() {
                Some((_, option)) => option.extend([token.clone()]),
                None => options.push((Ident::new("_", token.span()), token.clone().into())),
            },
        }
    }
    options
}

struct Block {
    defaults: Vec<(Ident, TokenStream)>,
    place: TokenStream,
}

impl Block {
    /// Rewrites the attributes among the items of the block.
    fn attributes(&self, items: TokenStream, count: &mut usize) -> TokenStream {
        let tokens = list(items);
        let rewritten = tokens.iter().enumerate().map(|(at, token)| match token {
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Bracket && at > 0 && is_punct(tokens.get(at - 1), '#') =>
            {
                regroup(group, self.attribute(group.stream(), count)).into()
            }
            // What an `$item` fragment leaves.
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                regroup(group, self.attributes(group.stream(), count)).into()
            }
            token => token.clone(),
        });
        rewritten.collect()
    }

    /// Before: `blocking(sync = find_sync)`. After: `blocking(sync = find_sync, executor = db, impl())`.
    fn attribute(&self, attr: TokenStream, count: &mut usize) -> TokenStream {
        let tokens = list(attr);
        let end = tokens.iter().position(|token| matches!(token, TokenTree::Group(_))).unwrap_or(tokens.len());
        let Some(TokenTree::Ident(name)) = tokens[..end].last() else { return tokens.into_iter().collect() };
        let arguments = as_group(tokens.get(end), Delimiter::Parenthesis);
        if name == "cfg_attr"
            && let Some(arguments) = arguments
        {
            let mut rewritten = Vec::new();
            for part in list(arguments.stream()).split(|token| is_punct(Some(token), ',')) {
                rewritten.push(self.attribute(part.iter().cloned().collect(), count));
            }
            return quote!(cfg_attr(#(#rewritten),*));
        }
        if name != "blocking" {
            return tokens.into_iter().collect();
        }
        *count += 1;
        let own = arguments.map(Group::stream).unwrap_or_default();
        let given = split(own.clone());
        // A handle has a result of its own, and so has a stream.
        let unlike = |name: &Ident, others: &[&str]| others.iter().any(|option| name == option);
        let is_given = |name: &Ident| {
            given.iter().any(|(own, _)| {
                own == name
                    || own == "handle" && unlike(name, &["boxed", "refused", "panicked", "wait"])
                    || own == "stream" && unlike(name, &["boxed", "handle", "wait"])
            })
        };
        let defaults = self.defaults.iter().filter(|(name, _)| !is_given(name)).map(|(_, option)| option);
        let own = list(own);
        let comma = own.last().is_some_and(|last| !is_punct(Some(last), ',')).then(|| quote!(,));
        let (path, place) = (&tokens[..end], &self.place);
        quote_spanned!(name.span()=> #(#path)*(#(#own)* #comma #(#defaults,)* #place))
    }
}
