async fn count(self: Arc<Self>) -> usize {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("count", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<usize>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<usize>(
        &self.executor,
        __offload_site,
        __offload_judge,
        {
            let __offload_self = __offload::Argument(__offload::Clone::clone(&self))
                .send();
            move || {
                let self_ = __offload::take(__offload_self);
                { self_.n }
            }
        },
    );
    __offload::drop(self);
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
