async fn run(&self) {
    use ::offload_runtime::__private::{self as __offload, fallback::*};
    let __offload_site = const {
        &__offload::method_site::<Self>("run", ::core::module_path!())
    };
    let __offload_handle = __offload::submit::<()>(
        &self.executor,
        __offload_site,
        {
            let __offload_self = __offload::Receiver(self).__offload_detach();
            move || {
                let __offload_self = __offload::borrow(&__offload_self);
                {
                    use self::helper as h;
                    println!("{__offload_self:?} {} {{self}}", __offload_self.n);
                    info!(target : "db", n = __offload_self.n, "{__offload_self}");
                    sql!("{self}");
                    println!("{}", "{self}");
                    assert!(is::< A, B > (__offload_self), "{__offload_self:>3}");
                    assert_eq!(__offload_self.n, "{self}", "{__offload_self}");
                    struct Inner(pub(self) u8);
                    impl Inner {
                        fn get(&self) -> u8 {
                            self.0
                        }
                    }
                    fn nested(&self) -> [u8; { N }] {
                        self.x
                    }
                    macro_rules! get {
                        ($self:ident) => {
                            $self .n + __offload_self.m
                        };
                    }
                    let v = vec![__offload_self.n];
                    self::helper(|| __offload_self.n)
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
