async fn call(
    &self,
    owned: Vec<u8>,
    changed: u32,
    a: (A, B),
    arg4: Permit,
    arg5: &str,
    path: &Path,
    limit: Option<&u32>,
    name: Cow<'_, str>,
    callback: fn(&str) -> usize,
    fixed: &'static str,
    #[cfg(unix)]
    only: u8,
) -> io::Result<u64> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("call", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<io::Result<u64>>::TYPE
        .__offload_judge();
    let __offload_handle = __offload::submit::<io::Result<u64>>(
        &self.io,
        __offload_site,
        __offload_judge,
        {
            let owned = __offload::Argument(owned).send();
            let changed = __offload::Argument(changed).send();
            let a = __offload::Argument(a).send();
            let arg4 = __offload::Argument(arg4).send();
            let path = __offload::Argument(path).__offload_detach();
            let limit = __offload::Argument(limit).__offload_detach();
            let name = __offload::Argument(name).__offload_detach();
            let callback = __offload::Argument(callback).send();
            let fixed = __offload::Argument(fixed).send();
            #[cfg(unix)]
            let only = __offload::Argument(only).send();
            move || {
                let owned = __offload::take(owned);
                let mut changed = __offload::take(changed);
                let a = __offload::take(a);
                let (a, _) = a;
                let arg4 = __offload::take(arg4);
                let path = __offload::borrow(&path);
                let limit = __offload::borrow_option(&limit);
                let name = __offload::take(name);
                let callback = __offload::take(callback);
                let fixed = __offload::take(fixed);
                #[cfg(unix)]
                let only = __offload::take(only);
                { Ok(0) }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
