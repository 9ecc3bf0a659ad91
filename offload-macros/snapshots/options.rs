async fn load(
    &self,
    key: impl ::core::convert::Into<Vec<u8>>,
    path: impl ::core::convert::AsRef<Path>,
    State(app): State<App>,
) -> Result<u8, Failure> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("load", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<Result<u8, Failure>>::TYPE
        .__offload_judge();
    let __offload_handle = __offload::submit::<Result<u8, Failure>>(
        &POOL,
        __offload_site,
        __offload_judge,
        {
            let db = __offload::Argument(self.db.clone()).send();
            let key = __offload::Argument(
                    ::core::convert::Into::<Vec<u8>>::into(key),
                )
                .send();
            let path = __offload::Argument(
                    ::core::convert::AsRef::<Path>::as_ref(&path),
                )
                .__offload_detach();
            let app = __offload::Argument(app).send();
            move || {
                let db = __offload::take(db);
                let mut key = __offload::take(key);
                let path = __offload::borrow(&path);
                let app = __offload::take(app);
                { 1 }
            }
        },
    );
    __offload::refused(
        __offload::panicked(
            __offload::outcome(__offload_handle.await, __offload_site),
            |panic| Failure::from(panic),
        ),
        Failure::busy,
    )
}
