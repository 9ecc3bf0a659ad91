async fn count(self) -> usize {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("count", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<usize>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<usize>(
        &__offload::Held(&self.executor).__offload_cloned(),
        __offload_site,
        __offload_judge,
        {
            let __offload_self = __offload::Argument(self).send();
            move || {
                let mut self_ = __offload::take(__offload_self);
                { self_.n }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
