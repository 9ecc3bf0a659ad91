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
                    use self::helper as h;
                    println!("{self:?} {} {{self}}", self_.n, self = self_);
                    info!(target : "db", n = self_.n, "{self}", self = self_);
                    sql!("{self}");
                    println!("{}", "{self}");
                    assert!(is::< A, B > (self_), "{self:>3}", self = self_);
                    assert_eq!(self_.n, "{self}", "{self}", self = self_);
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
                            $self .n + self_.m
                        };
                    }
                    let v = vec![self_.n];
                    self::helper(|| self_.n)
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
