async unsafe fn r#match(&self, r#type: &str, executor: u8, this: u8) -> u8 {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("match", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<u8>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<u8>(
        &self.executor,
        __offload_site,
        __offload_judge,
        {
            let __offload_self = __offload::Receiver(self).__offload_detach();
            let r#type = __offload::Argument(r#type).__offload_detach();
            let executor = __offload::Argument(executor).send();
            let this = __offload::Argument(this).send();
            move || {
                unsafe {
                    Self::r#try(
                        __offload::borrow(&__offload_self),
                        __offload::borrow(&r#type),
                        __offload::take(executor),
                        __offload::take(this),
                    )
                }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
/// The synchronous form of `match`: it blocks the calling thread.
#[allow(clippy::missing_const_for_fn, clippy::needless_pass_by_value)]
unsafe fn r#try(&self, r#type: &str, executor: u8, this: u8) -> u8 {
    r#type.len()
}
#[doc(hidden)]
#[allow(dead_code, non_snake_case, clippy::missing_const_for_fn)]
fn __offload_in_the_impl_of_a_trait_write_sync_as_Trait_try()
where
    Self: ::core::marker::Sized,
{}
