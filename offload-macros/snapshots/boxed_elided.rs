fn load(
    &self,
    key: &str,
) -> ::core::pin::Pin<
    ::std::boxed::Box<dyn ::core::future::Future<Output = u8> + '_>,
> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let key = __offload::Argument(key).__offload_detach();
    ::std::boxed::Box::pin(async move {
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
                move || {
                    let self_ = __offload::borrow(&__offload_self);
                    let key = __offload::borrow(&key);
                    { self_.n }
                }
            },
        );
        let __offload_outcome = __offload::outcome(
            __offload_handle.await,
            __offload_site,
        );
        __offload_outcome.__offload_settle()
    })
}
