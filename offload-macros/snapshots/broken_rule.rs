::core::compile_error! {
    "expected a field or an expression; write `executor = io`"
}
async fn find(&self, (a, b): (u8, u8), mut n: usize) -> usize {
    n += 1;
    self.n + n
}
