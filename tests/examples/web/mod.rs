//! `web`, over real HTTP on loopback: routes and their errors, saturation, start and end.
//!
//! `client.rs` starts it and asks it. Ordinary requests are `ureq`'s; those whose connection matters (to hang up, to say
//! nothing) are written by hand.

mod client;
mod files;
mod routes;
mod saturation;
mod start;
mod stop;
