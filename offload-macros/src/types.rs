//! Questions about a type that is only a list of tokens: does it borrow, does it say `impl Trait`.
//!
//! A borrow is what ties a value to its caller: an elided or named lifetime. `'static`, lifetimes bound by a
//! `for<..>` and those of function signatures (`fn(&str)`, `Fn(&str) -> &str`) tie nothing.

use crate::tokens::{self, is_ident, is_path_separator, is_punct};
use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

/// The first place where a type borrows from its caller.
pub(crate) fn find_borrow(ty: &[TokenTree]) -> Option<Span> {
    Borrows::of(ty).found.first().map(|borrow| match borrow {
        Borrow::Elided(at) => *at,
        Borrow::Named(name) => name.span(),
    })
}

/// The lifetimes that a type names, other than `'static`, `'_` and those that it binds itself.
pub(crate) fn named_lifetimes(ty: &[TokenTree], names: &mut Vec<Ident>) {
    for borrow in Borrows::of(ty).found {
        match borrow {
            Borrow::Named(name) if !names.contains(&name) => names.push(name),
            Borrow::Named(_) | Borrow::Elided(_) => {}
        }
    }
}

/// A place where a type borrows.
enum Borrow {
    /// `&T` or `'_`.
    Elided(Span),
    /// `'a`.
    Named(Ident),
}

/// Collects the places where a type borrows.
#[derive(Default)]
struct Borrows {
    found: Vec<Borrow>,
    /// Lifetimes bound by a `for<..>` met so far.
    bound: Vec<Ident>,
    /// Whether elided lifetimes belong to a function signature here.
    in_signature: bool,
}

impl Borrows {
    fn of(ty: &[TokenTree]) -> Self {
        let mut borrows = Self::default();
        borrows.visit(ty);
        borrows
    }

    fn visit(&mut self, ty: &[TokenTree]) {
        let mut at = 0;
        while at < ty.len() {
            at = match &ty[at] {
                TokenTree::Ident(word) if word == "for" && is_punct(ty.get(at + 1), '<') => self.bind(ty, at + 1),
                TokenTree::Group(group) => self.visit_group(group, ty, at),
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    if !self.in_signature && !is_punct(ty.get(at + 1), '\'') {
                        self.found.push(Borrow::Elided(punct.span()));
                    }
                    at + 1
                }
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    if let Some(TokenTree::Ident(name)) = ty.get(at + 1) {
                        self.visit_lifetime(name);
                    }
                    at + 2
                }
                _ => at + 1,
            };
        }
    }

    /// Reads `<'a, 'b>` behind a `for`; gives the position behind it.
    fn bind(&mut self, ty: &[TokenTree], open: usize) -> usize {
        let end = tokens::behind_angles(ty, open);
        let names = ty[open..end].iter().filter_map(|token| match token {
            TokenTree::Ident(name) => Some(name.clone()),
            _ => None,
        });
        self.bound.extend(names);
        end
    }

    fn visit_lifetime(&mut self, name: &Ident) {
        if name == "_" {
            if !self.in_signature {
                self.found.push(Borrow::Elided(name.span()));
            }
        } else if name != "static" && !self.bound.contains(name) {
            self.found.push(Borrow::Named(name.clone()));
        }
    }

    /// Visits a group, and the result behind it if both are a function's signature; gives the position behind.
    fn visit_group(&mut self, group: &Group, ty: &[TokenTree], at: usize) -> usize {
        let behind_name = at > 0 && matches!(ty[at - 1], TokenTree::Ident(_));
        let inside = tokens::list(group.stream());
        match group.delimiter() {
            Delimiter::Parenthesis if behind_name => {
                let end = end_of_signature(ty, at);
                self.visit_signature(&inside);
                self.visit_signature(&ty[at + 1..end]);
                return end;
            }
            // A constant argument.
            Delimiter::Brace => {}
            _ => {
                // `[T; N & M]`: a length is an expression, and borrows nothing.
                let length = inside.iter().position(|token| is_punct(Some(token), ';'));
                self.visit(&inside[..length.unwrap_or(inside.len())]);
            }
        }
        at + 1
    }

    fn visit_signature(&mut self, types: &[TokenTree]) {
        let outside = std::mem::replace(&mut self.in_signature, true);
        self.visit(types);
        self.in_signature = outside;
    }
}

/// Where the signature ends, the parameters of which are at `at`: behind them, or behind the type of its `->`.
fn end_of_signature(ty: &[TokenTree], at: usize) -> usize {
    if !is_punct(ty.get(at + 1), '-') {
        return at + 1;
    }
    let result = (at + 3).min(ty.len());
    result + end_of_type(&ty[result..])
}

/// Where the type that begins here ends: at a `,`, a `+` or a closing `>` of its surroundings.
fn end_of_type(tokens: &[TokenTree]) -> usize {
    let mut angles = tokens::Angles::default();
    for at in 0..tokens.len() {
        let closes = is_punct(tokens.get(at), '>') && !(at > 0 && is_punct(tokens.get(at - 1), '-'));
        if angles.is_outside() && (closes || is_punct(tokens.get(at), ',') || is_punct(tokens.get(at), '+')) {
            return at;
        }
        angles.step(tokens, at);
    }
    tokens.len()
}

/// Replaces each `impl Trait` by `_`, as an annotation inside of a function wants it.
///
/// Before: `Result<impl Iterator<Item = u8> + Send, Error>`. After: `Result<_, Error>`.
pub(crate) fn infer_impl_trait(ty: &[TokenTree]) -> TokenStream {
    let mut out = Vec::with_capacity(ty.len());
    let mut at = 0;
    while at < ty.len() {
        match &ty[at] {
            TokenTree::Ident(word) if word == "impl" => {
                out.push(TokenTree::Ident(Ident::new("_", word.span())));
                at += 1;
                while at < ty.len() {
                    at += end_of_type(&ty[at..]);
                    if !is_punct(ty.get(at), '+') {
                        break;
                    }
                    at += 1;
                }
                continue;
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let inside = infer_impl_trait(&tokens::list(group.stream()));
                out.push(regroup(group, inside).into());
            }
            token => out.push(token.clone()),
        }
        at += 1;
    }
    out.into_iter().collect()
}

/// Rewrites the argument types of a boxed method the way async-trait does.
///
/// Before: `&str`, `Cow<'_, T>`, `impl Fn()`. After: `&'life1 str`, `Cow<'life1, T>`, `impl 'async_trait + Fn()`.
pub(crate) fn name_lifetimes(ty: &[TokenTree], elided: &mut Vec<Span>) -> Vec<TokenTree> {
    let mut out = Vec::with_capacity(ty.len());
    let mut at = 0;
    while at < ty.len() {
        let behind_name = at > 0 && matches!(ty[at - 1], TokenTree::Ident(_));
        match &ty[at] {
            TokenTree::Punct(punct) if punct.as_char() == '&' && !is_punct(ty.get(at + 1), '\'') => {
                out.push(punct.clone().into());
                out.extend(next_lifetime(elided, punct.span()));
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' && is_ident(ty.get(at + 1), "_") => {
                out.extend(next_lifetime(elided, ty[at + 1].span()));
                at += 1;
            }
            TokenTree::Ident(word) if word == "impl" => {
                let end = at + 1 + end_of_type(&ty[at + 1..]);
                let mut bounds = vec![word.clone().into()];
                bounds.extend(lifetime("async_trait", word.span()));
                bounds.push(Punct::new('+', Spacing::Alone).into());
                bounds.extend(name_lifetimes(&ty[at + 1..end], elided));
                // `&impl Trait` is written `&(impl 'async_trait + Trait)`.
                let stands_alone = at == 0 || ['<', ',', '='].into_iter().any(|ch| is_punct(ty.get(at - 1), ch));
                if stands_alone {
                    out.extend(bounds);
                } else {
                    out.push(Group::new(Delimiter::Parenthesis, bounds.into_iter().collect()).into());
                }
                at = end;
                continue;
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace && !behind_name => {
                let inside = name_lifetimes(&tokens::list(group.stream()), elided);
                out.push(regroup(group, inside.into_iter().collect()).into());
            }
            TokenTree::Group(_) if behind_name => {
                // A function's signature: its elided lifetimes are its own.
                let end = end_of_signature(ty, at);
                out.extend_from_slice(&ty[at..end]);
                at = end;
                continue;
            }
            token => out.push(token.clone()),
        }
        at += 1;
    }
    out
}

fn next_lifetime(elided: &mut Vec<Span>, span: Span) -> [TokenTree; 2] {
    elided.push(span);
    lifetime(&format!("life{}", elided.len() - 1), span)
}

/// The tokens of `'name`.
pub(crate) fn lifetime(name: &str, span: Span) -> [TokenTree; 2] {
    let mut quote = Punct::new('\'', Spacing::Joint);
    quote.set_span(span);
    [quote.into(), Ident::new(name, span).into()]
}

/// The token that best stands for a type in a message: `Rc` of `&std::rc::Rc<u8>`, else the first one.
pub(crate) fn head(ty: &[TokenTree]) -> Span {
    let ty = tokens::peel(ty.to_vec());
    let mut at = usize::from(is_punct(ty.first(), '&'));
    if is_punct(ty.get(at), '\'') || is_path_separator(&ty, at) {
        at += 2;
    }
    while matches!(ty.get(at), Some(TokenTree::Ident(_)))
        && is_path_separator(&ty, at + 1)
        && !is_punct(ty.get(at + 3), '<')
    {
        at += 3;
    }
    ty.get(at).or(ty.first()).map_or_else(Span::call_site, TokenTree::span)
}

/// The same group around other tokens.
pub(crate) fn regroup(group: &Group, inside: TokenStream) -> Group {
    let mut new = Group::new(group.delimiter(), inside);
    new.set_span(group.span());
    new
}
