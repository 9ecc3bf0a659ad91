async fn find(&self, email: &str) -> usize {
    const { ::core::panic!("`#[blocking]` could not read this signature") }
}
