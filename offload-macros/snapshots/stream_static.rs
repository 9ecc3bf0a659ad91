fn count(
    n: u32,
) -> ::offload_runtime::BlockingStream<
    <Range<u32> as ::core::iter::Iterator>::Item,
> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        fn __offload_here() {}
        &__offload::function_site(
            "count",
            ::core::module_path!(),
            || __offload::name_of(&__offload_here),
        )
    };
    let __offload_stream = __offload::pull::<Range<u32>,<Range<u32> as ::core::iter::Iterator>::Item>(
        &POOL,
        __offload_site,
        {
            let n = __offload::Argument(n).send();
            move || {
                let n = __offload::take(n);
                { 0..n }
            }
        },
    );
    let __offload_stream = __offload_stream;
    __offload_stream.__offload_settle()
}
