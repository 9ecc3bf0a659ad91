fn find(&self, n: usize) -> ::offload_runtime::JobHandle<usize> {
    ::core::compile_error! {
        "unknown option `timeout`; for an executor write `executor = timeout`; expected `executor`, `sync`, `wait`, `handle`, `boxed`, `stream`, `refused`, `panicked`, `with`, `remote`, `name` or `crate`"
    }
}
