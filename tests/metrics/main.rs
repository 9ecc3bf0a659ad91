//! What the executors tell of themselves: counts that balance, times, sites, streams, and what is running.

mod books;
mod ends;
mod running;
mod sites;
mod slow;
mod streams;
mod times;
mod views;
