//! The model of a function: its parts, each kept as the tokens it was written with.
//!
//! Reading is lenient. Anything with a `fn`, a name and a parameter list is a method, however unfinished the
//! rest may be; what is missing or wrong is found by `validate.rs`.

use crate::argument::Argument;
use crate::attributes::{self, Attribute};
use crate::receiver::Receiver;
use crate::tokens::{self, as_group, is_body, is_ident, is_punct, open_lifetimes};
use crate::types;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// A function, split into its parts.
pub(crate) struct Method {
    /// The attributes before the function, and the inner ones that opened its body.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) visibility: Vec<TokenTree>,
    pub(crate) qualifiers: Qualifiers,
    /// The word `fn`.
    pub(crate) fn_token: Ident,
    pub(crate) name: Ident,
    /// What stands between the `<` and `>` behind the name.
    pub(crate) generics: Vec<TokenTree>,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) arguments: Vec<Argument>,
    /// Parameters that are neither `self` nor an argument: half-typed, or `...`.
    pub(crate) unread: Vec<Vec<TokenTree>>,
    pub(crate) parameters: Group,
    /// The type behind `->`.
    pub(crate) result: Option<Vec<TokenTree>>,
    /// Everything between the result and the body.
    pub(crate) where_clause: Vec<TokenTree>,
    pub(crate) body: Option<Group>,
}

/// The words before `fn`.
#[derive(Default)]
pub(crate) struct Qualifiers {
    pub(crate) defaultness: Option<Ident>,
    pub(crate) constness: Option<Ident>,
    pub(crate) asyncness: Option<Ident>,
    /// `unsafe` or `safe`.
    pub(crate) safety: Option<Ident>,
    pub(crate) external: Option<Ident>,
}

/// What the attribute stands on instead of a function.
pub(crate) struct NotAFunction {
    pub(crate) at: Span,
    /// The item's keyword, where there is one: `struct`, `impl`.
    pub(crate) keyword: Option<String>,
}

impl Method {
    /// Splits `item` into its parts.
    pub(crate) fn parse(item: TokenStream) -> Result<Self, NotAFunction> {
        let item = open_fragments(item);
        let (mut attrs, mut at) = attributes::parse_outer(&item);
        let start = at;
        at += visibility_len(&item[at..]);
        let visibility = item[start..at].to_vec();
        let qualifiers = Qualifiers::parse(&item, &mut at);
        let not_a_function = || NotAFunction::describe(&item, start);
        let (fn_token, name) = match item.get(at..at + 2) {
            Some([TokenTree::Ident(word), TokenTree::Ident(name)]) if word == "fn" => (word.clone(), name.clone()),
            _ => return Err(not_a_function()),
        };
        at += 2;
        let mut generics = Vec::new();
        if is_punct(item.get(at), '<') {
            let end = tokens::behind_angles(&item, at);
            generics = open_lifetimes(item[at + 1..end.max(at + 2) - 1].to_vec());
            at = end;
        }
        let parameters = as_group(item.get(at), Delimiter::Parenthesis).ok_or_else(not_a_function)?.clone();
        at += 1;
        let (result, where_clause, body) = parse_tail(&item[at..]);
        let (result, where_clause) = (result.map(open_lifetimes), open_lifetimes(where_clause));
        let body = body.map(|body| attributes::hoist_inner(&body, &mut attrs));
        let mut method = Self {
            attrs,
            visibility,
            qualifiers,
            fn_token,
            name,
            generics,
            receiver: None,
            arguments: Vec::new(),
            unread: Vec::new(),
            parameters,
            result,
            where_clause,
            body,
        };
        method.parse_parameters();
        Ok(method)
    }

    fn parse_parameters(&mut self) {
        let all = open_lifetimes(tokens::list(self.parameters.stream()));
        for (position, parameter) in tokens::split_commas(&all).into_iter().enumerate() {
            let start = attributes::outer_len(parameter);
            let receiver = if position == 0 { Receiver::parse(parameter, start) } else { None };
            if let Some(mut receiver) = receiver {
                if self.attrs.iter().any(Attribute::sees_the_signature) {
                    receiver.show();
                }
                self.receiver = Some(receiver);
            } else if let Some(argument) = Argument::parse(parameter, start) {
                self.arguments.push(argument);
            } else {
                self.unread.push(parameter.to_vec());
            }
        }
    }

    /// The names of the type and const parameters, for a call that repeats them.
    pub(crate) fn generic_names(&self) -> Vec<Ident> {
        let parameters = tokens::split_commas(&self.generics).into_iter();
        parameters.filter_map(|parameter| generic_name(parameter).map(|(name, _)| name)).collect()
    }
}

/// What kind of thing a generic parameter is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum GenericKind {
    Type,
    Const,
}

/// The name of a type or const parameter; `None` for a lifetime.
pub(crate) fn generic_name(parameter: &[TokenTree]) -> Option<(Ident, GenericKind)> {
    let parameter = &parameter[attributes::outer_len(parameter)..];
    match parameter {
        [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "const" => {
            Some((name.clone(), GenericKind::Const))
        }
        [TokenTree::Ident(name), ..] => Some((name.clone(), GenericKind::Type)),
        _ => None,
    }
}

impl Qualifiers {
    fn parse(item: &[TokenTree], at: &mut usize) -> Self {
        let mut found = Self::default();
        while let Some(TokenTree::Ident(word)) = item.get(*at) {
            let place = match word.to_string().as_str() {
                "default" => &mut found.defaultness,
                "const" => &mut found.constness,
                "async" => &mut found.asyncness,
                "unsafe" | "safe" => &mut found.safety,
                "extern" => &mut found.external,
                _ => break,
            };
            let is_extern = word == "extern";
            *place = Some(word.clone());
            *at += 1;
            if is_extern && matches!(item.get(*at), Some(TokenTree::Literal(_))) {
                *at += 1;
            }
        }
        found
    }
}

impl NotAFunction {
    fn describe(item: &[TokenTree], start: usize) -> Self {
        const KEYWORDS: [&str; 12] =
            ["struct", "enum", "union", "impl", "trait", "mod", "type", "static", "use", "const", "macro_rules", "let"];
        let keyword = item[start.min(item.len())..].iter().find_map(|token| match token {
            TokenTree::Ident(word) if KEYWORDS.contains(&word.to_string().as_str()) => Some(word),
            _ => None,
        });
        let first = item.get(start).or(item.first());
        Self {
            at: keyword.map(Ident::span).or(first.map(TokenTree::span)).unwrap_or_else(Span::call_site),
            keyword: keyword.map(ToString::to_string),
        }
    }
}

/// Opens the groups without delimiters that `$item`, `$vis` and `$body` fragments leave around parts of an item.
///
/// A fragment behind the parameters is a type or the body: a type stays closed, as its group carries precedence.
fn open_fragments(item: TokenStream) -> Vec<TokenTree> {
    let mut out = Vec::new();
    let mut behind_parameters = false;
    for token in item {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                let inside = open_fragments(group.stream());
                let is_body = |only| as_group(Some(only), Delimiter::Brace).is_some() || is_punct(Some(only), ';');
                let is_end = matches!(inside.as_slice(), [only] if is_body(only));
                if !behind_parameters || is_end {
                    behind_parameters |= is_ident(inside.first(), "fn");
                    out.extend(inside);
                } else {
                    out.push(group.into());
                }
            }
            token => {
                behind_parameters |= is_ident(Some(&token), "fn");
                out.push(token);
            }
        }
    }
    out
}

fn visibility_len(tokens: &[TokenTree]) -> usize {
    match tokens {
        [TokenTree::Ident(word), TokenTree::Group(group), ..]
            if word == "pub" && group.delimiter() == Delimiter::Parenthesis =>
        {
            2
        }
        [TokenTree::Ident(word), ..] if word == "pub" => 1,
        _ => 0,
    }
}

type Tail = (Option<Vec<TokenTree>>, Vec<TokenTree>, Option<Group>);

/// Splits what follows the parameters: `-> Ret where T: Bound { body }`.
fn parse_tail(tail: &[TokenTree]) -> Tail {
    let end = (0..tail.len()).find(|&at| is_body(tail, at) || is_punct(tail.get(at), ';')).unwrap_or(tail.len());
    let body = as_group(tail.get(end), Delimiter::Brace).cloned();
    let head = &tail[..end];
    let where_at = head.iter().position(|token| is_ident(Some(token), "where")).unwrap_or(head.len());
    let (result, where_clause) = head.split_at(where_at);
    let has_arrow = is_punct(result.first(), '-') && is_punct(result.get(1), '>');
    (has_arrow.then(|| result[2..].to_vec()), where_clause.to_vec(), body)
}

impl Method {
    /// Whether the function is known to belong to a type, so that `Self` can be named in it.
    ///
    /// An associated function without `self` that never says `Self` cannot be told from a free one.
    pub(crate) fn belongs_to_self(&self) -> bool {
        let names_self_type = |tokens: &[TokenTree]| tokens::mentions(tokens, "Self");
        self.receiver.is_some()
            || names_self_type(&tokens::list(self.parameters.stream()))
            || self.result.as_deref().is_some_and(names_self_type)
            || names_self_type(&self.where_clause)
            || names_self_type(&self.generics)
    }

    /// Whether the method was an `async fn` inside `#[async_trait]`, which has rewritten it.
    pub(crate) fn is_boxed_already(&self) -> bool {
        let mut lifetimes = Vec::new();
        types::named_lifetimes(&self.generics, &mut lifetimes);
        types::named_lifetimes(self.result.as_deref().unwrap_or_default(), &mut lifetimes);
        lifetimes.iter().any(|name| name == "async_trait")
    }

    /// Whether the method is marked `#[deprecated]`.
    pub(crate) fn is_deprecated(&self) -> bool {
        self.attrs.iter().filter_map(Attribute::name).any(|name| name == "deprecated")
    }
}
