fn find<
    'life0,
    'async_trait,
    T: 'async_trait = u8,
    U: 'async_trait + Into<Vec<T>> = (u8, T),
    V: 'async_trait = T,
>(
    &'life0 self,
    key: U,
    value: V,
) -> ::core::pin::Pin<
    ::std::boxed::Box<
        dyn ::core::future::Future<Output = T> + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    Self: 'async_trait;
