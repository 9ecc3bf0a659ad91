//! Pools whose threads own something: the life of a state, the contract, the actor, SQLite.
//!
//! The contract's clauses are those of `tests/contract`; here each is shown for jobs that have a state.

mod actor;
mod contract;
mod life;
mod metrics;
mod nested;
mod room;
mod sqlite;
mod support;
