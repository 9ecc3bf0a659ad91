fn count<'async_trait>(
    id: u32,
) -> ::core::pin::Pin<
    ::std::boxed::Box<
        dyn ::core::future::Future<
            Output = u64,
        > + ::core::marker::Send + 'async_trait,
    >,
> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    ::std::boxed::Box::pin(async move {
        let __offload_site = const {
            fn __offload_here() {}
            &__offload::function_site(
                "count",
                ::core::module_path!(),
                || __offload::name_of(&__offload_here),
            )
        };
        let __offload_judge = __offload::Returns::<u64>::TYPE.__offload_judge();
        let __offload_handle = __offload::Lender(&DB)
            .__offload_submit_with::<u64,(Connection, Cache)>(
                __offload_site,
                __offload_judge,
                {
                    let id = __offload::Argument(id).send();
                    move |conn_cache_0: &mut (Connection, Cache)| {
                        let conn_cache_0 = &*conn_cache_0;
                        let (conn, cache) = conn_cache_0;
                        let id = __offload::take(id);
                        { 1 }
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
