//! Nothing: see the test `renamed`.
