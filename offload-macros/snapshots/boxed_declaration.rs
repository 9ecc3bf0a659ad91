fn find<
    'life0: 'async_trait,
    'life1: 'async_trait,
    'life2: 'async_trait,
    'life3: 'async_trait,
    'async_trait,
>(
    &'life0 self,
    key: &'life1 str,
    by: Cow<'life2, str>,
    f: impl 'async_trait + Fn(&str) -> &str,
    all: &'life3 (impl 'async_trait + Iterator<
        Item = impl 'async_trait + Into<User> + Send,
    >),
) -> ::core::pin::Pin<
    ::std::boxed::Box<
        dyn ::core::future::Future<
            Output = Option<User>,
        > + ::core::marker::Send + 'async_trait,
    >,
>
where
    Self: 'async_trait;
