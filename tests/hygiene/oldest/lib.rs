//! Nothing: see the test `oldest`.
