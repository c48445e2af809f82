//! The tables, one entity each.

pub(crate) mod merchant;
pub(crate) mod terminal;
