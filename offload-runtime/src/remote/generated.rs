//! What the expansion of `#[blocking(remote)]` names.
//!
//! Before: `fn scale(&self, picture: &[u8], edge: u32) -> Result<Vec<u8>, ScaleError> { body }`.
//! After, without the parts that every `#[blocking]` method has:
//! ```text
//! fn body(picture: &[u8], edge: u32) -> Result<Vec<u8>, ScaleError> { body }
//! fn run(format: Format, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
//!     let (a, b): (<[u8] as ToOwned>::Owned, u32) = arguments(format, bytes)?;
//!     result(format, &body(Borrow::borrow(&a), b))
//! }
//! static FUNCTION: Function = Function::new(module_path!(), "scale", false, type_name::<fn(..) -> ..>, run);
//! inventory::submit! { Registration(&FUNCTION) }
//! submit(&self.workers, SITE, &FUNCTION, &(picture, &edge)).await
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::remote::generated_parts::{Function, Registration};
pub use crate::remote::{Failure, Format, RemoteExecutor};
pub use inventory;

use crate::{JobHandle, Site};

/// Submits a remote call.
pub fn submit<T, A>(
    executor: &(impl RemoteExecutor + ?Sized),
    site: &'static Site,
    function: &'static Function,
    arguments: &A,
) -> JobHandle<T>
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize,
{
    crate::remote::submit(executor, site, function, arguments)
}

/// Decodes the arguments of a call.
///
/// # Errors
/// [`Failure::Codec`] if the bytes are not those arguments.
pub fn arguments<A: DeserializeOwned>(format: Format, bytes: &[u8]) -> Result<A, Failure> {
    format.decode(bytes).map_err(|why| Failure::Codec(format!("the arguments: {why}")))
}

/// Encodes the result of a call.
///
/// # Errors
/// [`Failure::Codec`] if the result cannot be encoded.
pub fn result<T: Serialize>(format: Format, value: &T) -> Result<Vec<u8>, Failure> {
    format.encode(value).map_err(|why| Failure::Codec(format!("the result: {why}")))
}
