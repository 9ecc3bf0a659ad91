async fn find<'a, T: Clone + Send, const N: usize>(
    &'a self,
    key: &T,
    tags: [u8; N],
) -> Option<User>
where
    Self: Sized,
{
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("find", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<Option<User>>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<Option<User>>(
        &self.executor,
        __offload_site,
        __offload_judge,
        {
            let __offload_self = __offload::Receiver(self).__offload_detach();
            let key = __offload::Argument(key).__offload_detach();
            let tags = __offload::Argument(tags).send();
            move || Self::find_sync::<T,N>(
                __offload::borrow(&__offload_self),
                __offload::borrow(&key),
                __offload::take(tags),
            )
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
/// The synchronous form of `find`: it blocks the calling thread.
#[allow(clippy::missing_const_for_fn, clippy::needless_pass_by_value)]
fn find_sync<'a, T: Clone + Send, const N: usize>(
    &'a self,
    key: &T,
    tags: [u8; N],
) -> Option<User>
where
    Self: Sized,
{
    self.find_in(key, &tags)
}
#[doc(hidden)]
#[allow(dead_code, non_snake_case, clippy::missing_const_for_fn)]
fn __offload_in_the_impl_of_a_trait_write_sync_as_Trait_find_sync()
where
    Self: ::core::marker::Sized,
{}
