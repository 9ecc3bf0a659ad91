//! Only the example is of interest: `../notes.rs`.
