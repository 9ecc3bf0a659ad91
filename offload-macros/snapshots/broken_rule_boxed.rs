fn find<'life0, 'life1, 'life2, 'async_trait>(
    &'life0 self,
    n: &'life1 [&'life2 str],
) -> ::core::pin::Pin<
    ::std::boxed::Box<
        dyn ::core::future::Future<
            Output = usize,
        > + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    'life1: 'async_trait,
    'life2: 'async_trait,
    Self: 'async_trait,
{
    ::core::compile_error! {
        "a borrow inside another type cannot be cloned for the worker; take `Vec<String>`"
    }
}
