fn find<'life0, 'async_trait, T = u8, U = (u8, T), V = T>(
    &'life0 self,
    key: U,
    value: V,
) -> ::core::pin::Pin<
    ::std::boxed::Box<
        dyn ::core::future::Future<Output = T> + ::core::marker::Send + 'async_trait,
    >,
>
where
    T: 'async_trait,
    U: 'async_trait + Into<Vec<T>>,
    V: 'async_trait,
    'life0: 'async_trait,
    Self: 'async_trait;
