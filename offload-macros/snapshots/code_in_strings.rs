#[cached(key = "String", convert = r#"{ format!("{}{}", name, n) }"#)]
async fn load(&self, name: &str, n: u32, other: u8) -> u8 {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("load", ::core::module_path!())
    };
    let __offload_judge = __offload::Returns::<u8>::TYPE.__offload_judge();
    let __offload_handle = __offload::submit::<u8>(
        &self.executor,
        __offload_site,
        __offload_judge,
        {
            let name = __offload::Argument(name).__offload_detach();
            let n = __offload::Argument(n).send();
            let other = __offload::Argument(other).send();
            move || {
                #[allow(
                    unused_variables,
                    clippy::shadow_reuse,
                    clippy::shadow_same,
                    clippy::shadow_unrelated
                )]
                let name = __offload::borrow(&name);
                #[allow(
                    unused_variables,
                    clippy::shadow_reuse,
                    clippy::shadow_same,
                    clippy::shadow_unrelated
                )]
                let n = __offload::take(n);
                let other = __offload::take(other);
                { 1 }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
