fn lines(
    &self,
    path: &Path,
) -> ::offload_runtime::BlockingStream<io::Result<String>> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("lines", ::core::module_path!())
    };
    let __offload_stream = __offload::try_pull::<io::Result<_>,io::Result<String>>(
        __offload::Lent(&self.executor).__offload_owned(),
        __offload_site,
        {
            let path = __offload::Argument(path).__offload_detach();
            move || {
                let path = __offload::borrow(&path);
                { open(path) }
            }
        },
    );
    let __offload_stream = __offload_stream;
    __offload_stream.__offload_settle()
}
