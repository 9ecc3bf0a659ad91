/// Loads.
#[cfg(unix)]
#[must_use]
#[doc(hidden)]
#[clippy::msrv = "1"]
#[other::skip]
#[rustfmt::skip]
#[cfg_attr(unix, inline, tracing::instrument, doc = "x")]
#[cfg_attr(unix, traced)]
#[allow(unused_variables)]
#[allow(clippy::all)]
#[tracing::instrument(skip(self))]
#[allow(unused_mut)]
pub async fn load(&self) -> u8 {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("load", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<u8>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<u8>(
        &self.executor,
        __offload_site,
        __offload_judge,
        {
            let __offload_self = __offload::Receiver(self).__offload_detach();
            move || Self::load_sync(__offload::borrow(&__offload_self))
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
/// The synchronous form of `load`: it blocks the calling thread.
#[allow(clippy::missing_const_for_fn, clippy::needless_pass_by_value)]
#[cfg(unix)]
#[must_use]
#[doc(hidden)]
#[clippy::msrv = "1"]
#[rustfmt::skip]
#[cfg_attr(unix, inline)]
#[expect(unused_variables)]
#[allow(clippy::all)]
#[track_caller]
#[allow(unused_mut)]
pub fn load_sync(&self) -> u8 {
    1
}
