async fn hash(password: &str) -> String {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        fn __offload_here() {}
        &__offload::function_site(
            "hash",
            ::core::module_path!(),
            || __offload::name_of(&__offload_here),
        )
    };
    let __offload_judge = __offload::Returns::<String>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<String>(
        &(&*POOL),
        __offload_site,
        __offload_judge,
        {
            let password = __offload::Argument(password).__offload_detach();
            move || {
                let password = __offload::borrow(&password);
                { argon(password) }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
