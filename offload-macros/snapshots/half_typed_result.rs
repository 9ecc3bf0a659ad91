pub async fn find(&self, email: &str) {
    const { ::core::panic!("`#[blocking]` could not read this signature") }
}
