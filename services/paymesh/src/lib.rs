//! The one binary: arguments, configuration, wiring, demo and bench. No business logic.

pub mod admin;
pub mod bench;
pub mod cli;
pub mod config;
pub mod demo;
pub mod events;
pub mod process;
mod rest;
pub mod sandbox;
pub mod simulators;
pub mod wiring;
