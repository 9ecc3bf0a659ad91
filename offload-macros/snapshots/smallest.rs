/// Looks a user up.
pub async fn find(&self, email: &str) -> Option<User> {
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
            let email = __offload::Argument(email).__offload_detach();
            move || {
                let self_ = __offload::borrow(&__offload_self);
                let email = __offload::borrow(&email);
                { self_.users.get(email).cloned() }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
