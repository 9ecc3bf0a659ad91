//! Holds the `ui` test, see `main.rs`.
