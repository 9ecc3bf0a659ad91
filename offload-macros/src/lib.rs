//! The `#[blocking]` attribute of [offload](https://docs.rs/offload-runtime).

mod args;
mod argument;
mod attributes;
mod boxed;
mod call;
mod errors;
mod expand;
mod method;
mod receiver;
mod self_rewrite;
mod tokens;
mod types;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a blocking method async.
#[proc_macro_attribute]
pub fn blocking(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::blocking(args.into(), item.into()).into()
}
