fn find<'life0, 'life1, 'life2, 'life3, 'async_trait>(
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
    'life0: 'async_trait,
    'life1: 'async_trait,
    'life2: 'async_trait,
    'life3: 'async_trait,
    Self: 'async_trait,
{
    ::core::compile_error! {
        "`impl Fn(&str) -> &str` may borrow from the caller, or not be `Send`; write `impl Fn(&str) -> &str + Send + 'static`"
    }
}
