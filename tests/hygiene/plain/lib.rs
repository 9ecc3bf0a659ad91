//! Nothing: see the tests `shadowed` and `lints`.
