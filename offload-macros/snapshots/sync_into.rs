async fn load(
    key: impl ::core::convert::Into<Vec<u8>>,
    a: impl ::core::convert::Into<(u8, u8)>,
) -> u8 {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        fn __offload_here() {}
        &__offload::function_site(
            "load",
            ::core::module_path!(),
            || __offload::name_of(&__offload_here),
        )
    };
    let __offload_judge = __offload::Returns::<u8>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<u8>(
        __offload::default_executor(),
        __offload_site,
        __offload_judge,
        {
            let key = __offload::Argument(
                    ::core::convert::Into::<Vec<u8>>::into(key),
                )
                .send();
            let a = __offload::Argument(::core::convert::Into::<(u8, u8)>::into(a))
                .send();
            move || Self::load_sync(__offload::take(key), __offload::take(a))
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
fn load_sync(
    key: impl ::core::convert::Into<Vec<u8>>,
    a: impl ::core::convert::Into<(u8, u8)>,
) -> u8 {
    let mut key: Vec<u8> = ::core::convert::Into::<Vec<u8>>::into(key);
    let (a, _): (u8, u8) = ::core::convert::Into::<(u8, u8)>::into(a);
    { 1 }
}
