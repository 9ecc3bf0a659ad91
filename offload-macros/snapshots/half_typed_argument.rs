::core::compile_error! {
    "expected an argument with its type; write `name: Type`"
}
async fn find(&self, email: &str) -> usize {
    ::core::compile_error! {
        "expected an argument with its type; write `name: Type`"
    }
}
