//! `#[state]`: the argument that is not the caller's to give, but what the worker's thread owns.

use crate::attributes::MarkKind;
use crate::errors::Errors;
use crate::function::Function;
use crate::options::Options;
use crate::types::{self, peel, shown};
use syn::{Meta, Type};

/// Reports what cannot be lent to the body.
pub(crate) fn check(options: &Options, function: &Function, errors: &mut Errors) {
    let mut states = function.marked(MarkKind::State);
    let Some((typed, mark)) = states.next() else { return };
    for (_, mark) in states {
        errors.at(
            mark.at(),
            "a thread owns one state; put both into one type, and take that: `#[state] name: &mut (A, B)`",
        );
    }
    if options.remote.is_some() {
        let message = "a remote function runs in another process, in which no thread owns a state; open what it needs in the body";
        errors.at(mark.at(), message);
    } else if options.executor.is_none() && function.sig.receiver().is_none() {
        errors.at(mark.at(), "the default executor has no state; name one that has: `#[blocking(executor = DB)]`");
    }
    if !matches!(mark.attr.meta, Meta::Path(_)) {
        return errors.at(mark.at(), "`#[state]` takes nothing; write `#[state]` alone");
    }
    let Type::Reference(reference) = peel(&typed.ty) else {
        let message = format!("a state is borrowed from its thread; write `&mut {}`", shown(&types::owned(&typed.ty)));
        return errors.at(types::head(&typed.ty), message);
    };
    if let Some(lifetime) = &reference.lifetime {
        errors.at(lifetime.apostrophe, "a state is lent for as long as the body runs; remove the lifetime");
    } else if let Type::ImplTrait(found) = peel(&reference.elem) {
        errors.at(
            found.impl_token.span,
            "the executor is asked for a state by its type; write that, or a type parameter",
        );
    } else if let Some(at) = types::find_borrow(&reference.elem) {
        errors.at(at, "a state lives as long as its thread, so it borrows from nothing; take what it is made of, and borrow in the body");
    }
}
