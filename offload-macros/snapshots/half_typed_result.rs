pub async fn find(&self, email: &str) {
    ::core::unreachable!()
}
