//! A day of card payments, played against a running platform.

pub mod handbook;
