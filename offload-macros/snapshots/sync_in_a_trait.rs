async fn load(&self, (a, b): (u8, u8)) -> u8 {
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
            let a = __offload::Argument(a).send();
            let b = __offload::Argument(b).send();
            move || {
                let a = __offload::take(a);
                let b = __offload::take(b);
                <Self as Find<
                    K,
                >>::load_sync(__offload::borrow(&__offload_self), (a, b))
            }
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
fn load_sync(&self, (a, mut b): (u8, u8)) -> u8 {
    self.n
}
