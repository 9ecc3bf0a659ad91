async fn find(&self, email: &str) -> usize {
    ::core::unreachable!()
}
