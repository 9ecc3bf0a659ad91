//! A small web service.
