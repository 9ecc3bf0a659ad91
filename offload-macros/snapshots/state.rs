async fn insert(&self, text: &str) -> Result<i64, Error> {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("insert", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<Result<i64, Error>>::TYPE
        .__offload_judge();
    let __offload_handle = __offload::Lender(&self.db)
        .__offload_submit_with::<Result<i64, Error>,Connection>(
            __offload_site,
            __offload_judge,
            {
                let __offload_self = __offload::Receiver(self).__offload_detach();
                let text = __offload::Argument(text).__offload_detach();
                move |conn: &mut Connection| Self::insert_sync(
                    __offload::borrow(&__offload_self),
                    conn,
                    __offload::borrow(&text),
                )
            },
        );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
/// The synchronous form of `insert`: it blocks the calling thread.
#[allow(clippy::missing_const_for_fn, clippy::needless_pass_by_value)]
fn insert_sync(&self, conn: &mut Connection, text: &str) -> Result<i64, Error> {
    conn.insert(self.table, text)
}
#[doc(hidden)]
#[allow(dead_code, non_snake_case, clippy::missing_const_for_fn)]
fn __offload_in_the_impl_of_a_trait_write_sync_as_Trait_insert_sync()
where
    Self: ::core::marker::Sized,
{}
