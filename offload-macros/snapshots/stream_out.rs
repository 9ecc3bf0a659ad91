fn export(
    &self,
    id: u32,
) -> ::offload_runtime::BlockingStream<Result<Row, Failure>> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("export", ::core::module_path!())
    };
    let __offload_stream = __offload::push::<Result<(), Failure>,Row>(
        __offload::Lent(&self.io).__offload_owned(),
        __offload_site,
        {
            let __offload_self = __offload::Receiver(self).__offload_detach();
            let id = __offload::Argument(id).send();
            move |rows: &mut Yielder<Row>| {
                let self_ = __offload::borrow(&__offload_self);
                let id = __offload::take(id);
                let rows = rows;
                { self_.send_all(id, rows) }
            }
        },
    );
    __offload::refused_stream(
        __offload::panicked_stream(__offload_stream, Failure::from),
        Failure::busy,
    )
}
