fn export(&self, id: u32) -> ::offload_runtime::BlockingStream<Result<Row, Error>> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("export", ::core::module_path!())
    };
    let __offload_stream = __offload::push_with::<Result<(), Error>,Row,Connection,_>(
        __offload::Lent(&self.db).__offload_owned(),
        __offload_site,
        {
            let id = __offload::Argument(id).send();
            move |conn: &mut Connection, rows: &mut Yielder<Row>| {
                let conn = conn;
                let id = __offload::take(id);
                let rows = rows;
                { send_all(conn, id, rows) }
            }
        },
    );
    let __offload_stream = __offload_stream;
    __offload_stream.__offload_settle()
}
