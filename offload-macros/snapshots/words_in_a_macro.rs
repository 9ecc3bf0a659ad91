async fn run(&self) {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("run", ::core::module_path!())
    };
    let __offload_judge = __offload::Unjudged;
    let __offload_handle = __offload::submit::<()>(
        &self.executor,
        __offload_site,
        __offload_judge,
        {
            let __offload_self = __offload::Receiver(self).__offload_detach();
            move || {
                let self_ = __offload::borrow(&__offload_self);
                {
                    sql!(use db; select self_.n);
                    html!(< p impl = self_.a mod = self_.b > self_.c </ p >);
                    route!(mod admin self_.d { self_.e });
                    when!(impl self_.f { self_.g });
                    items! {
                        use self::x; mod m { use super::other; } impl A for B { fn
                        f(& self) { self.own } } self_.h
                    }
                    use super::{self, x};
                    self_.i
                }
            }
        },
    );
    let __offload_outcome = __offload::outcome(
        __offload_handle.await,
        __offload_site,
    );
    __offload_outcome.__offload_settle()
}
