pub async fn find(&self, email: &str) {
    ::core::compile_error! {
        "expected a type behind `->`"
    }
}
