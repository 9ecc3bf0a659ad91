//! Tests of the expansion on plain tokens, without a compiler: what is written, and that something always is.

mod half_typed;
mod layers;
mod messages;
mod snapshots;
mod totality;

use crate::expansion;
use proc_macro2::TokenStream;
use quote::quote;

/// Expands `#[blocking(args)] item`.
fn expand(args: &str, item: &str) -> TokenStream {
    let parse = |text: &str| text.parse::<TokenStream>().expect("test input is made of tokens");
    expansion(parse(args), parse(item))
}

/// The tokens as formatted code, as the content of an `impl` or a `trait`; what is no Rust is given as it is.
fn pretty(tokens: &TokenStream) -> String {
    let is_declaration = tokens.clone().into_iter().last().is_some_and(|last| last.to_string() == ";");
    let inside = if is_declaration { quote!(trait X { #tokens }) } else { quote!(impl X { #tokens }) };
    let Ok(file) = syn::parse2::<syn::File>(inside) else { return format!("{tokens}\n") };
    let text = join_turbofish(&prettyplease::unparse(&file));
    let lines = text.lines().skip(1).filter(|line| *line != "}");
    lines.flat_map(|line| [line.strip_prefix("    ").unwrap_or(line), "\n"]).collect()
}

/// `prettyplease` breaks the line in every `submit::<Ret>(`; rustfmt would not.
fn join_turbofish(text: &str) -> String {
    let mut joined = String::new();
    let mut is_open = false;
    for line in text.lines() {
        if is_open {
            let line = line.trim();
            is_open = !line.starts_with(">(");
            joined.push_str(if is_open { line } else { line.trim_start_matches(',') });
        } else {
            is_open = line.ends_with("::<");
            joined.push_str(line);
        }
        if !is_open {
            joined.push('\n');
        }
    }
    joined.replace(",>(", ">(")
}

/// The texts of the errors in an expansion, in order: those beside the item, and one that is its body.
fn messages(tokens: &TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    let is_error = |window: &&[proc_macro2::TokenTree]| window[0].to_string() == "compile_error";
    let texts = tokens.windows(3).filter(is_error).map(|window| match &window[2] {
        proc_macro2::TokenTree::Group(group) => {
            syn::parse2::<syn::LitStr>(group.stream()).expect("an error is a string").value()
        }
        other => panic!("no message: {other}"),
    });
    let bodies = tokens.iter().filter_map(|token| match token {
        proc_macro2::TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
            Some(messages(&group.stream()))
        }
        _ => None,
    });
    texts.chain(bodies.flatten()).collect()
}
