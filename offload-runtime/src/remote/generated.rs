//! What the expansion of `#[blocking(remote)]` names.
//!
//! Each argument is packed and unpacked by a call of its own, which generated code places on the user's type: a type that cannot cross is an error
//! there, and only there.
//! ```text
//! fn body(picture: &[u8], edge: u32) -> Result<Vec<u8>, ScaleError> { body }
//! fn run(unpacker: &mut Unpacker) -> Result<Vec<u8>, Failure> {
//!     let a = unpacker.take::<<[u8] as ToOwned>::Owned>()?;
//!     let b = unpacker.take::<u32>()?;
//!     unpacker.end(|| body(Borrow::borrow(&a), b))
//! }
//! static FUNCTION: Function = Function::new(module_path!(), "scale", false, type_name::<fn(..) -> ..>, run);
//! inventory::submit! { Registration(&FUNCTION) }
//! submit::<Result<Vec<u8>, ScaleError>>(&self.workers, site, &FUNCTION, |packer| { packer.put(&picture); packer.put(&edge); })
//! ```

use serde::de::DeserializeOwned;

pub use crate::remote::generated_parts::{Function, Packer, Registration, Unpacker};
pub use crate::remote::{Failure, RemoteExecutor};
pub use inventory;
pub use std::any::type_name;

use crate::{JobHandle, Site};

/// Submits a remote call. The result is the one parameter that can be named, so that generated code can say the user's type.
pub fn submit<T: DeserializeOwned + Send + 'static>(
    executor: &(impl RemoteExecutor + ?Sized),
    site: &'static Site,
    function: &'static Function,
    pack: impl FnOnce(&mut Packer),
) -> JobHandle<T> {
    crate::remote::submit(executor, site, function, pack)
}
