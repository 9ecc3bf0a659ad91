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
    let __offload_handle = {
        let __offload_executor = &self.executor;
        match __offload::reserve(__offload_executor).await {
            ::core::result::Result::Ok(__offload_permit) => {
                __offload::submit::<Option<User>>(
                    &__offload_permit,
                    __offload_site,
                    __offload_judge,
                    {
                        let __offload_self = __offload::Receiver(self)
                            .__offload_detach();
                        let key = __offload::Argument(key).__offload_detach();
                        let tags = __offload::Argument(tags).send();
                        move || {
                            let self_ = __offload::borrow(&__offload_self);
                            let key = __offload::borrow(&key);
                            let tags = __offload::take(tags);
                            { self_.find_in(key, &tags) }
                        }
                    },
                )
            }
            ::core::result::Result::Err(__offload_refusal) => {
                __offload::refuse(__offload_site, __offload_refusal)
            }
        }
    };
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
