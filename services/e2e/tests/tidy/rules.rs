//! The rules, by what they are about.

pub(crate) mod components;
pub(crate) mod dependencies;
pub(crate) mod docs;
pub(crate) mod files;
pub(crate) mod layers;
pub(crate) mod text;
