//! Rules of the edge, pure: how a window counts, who may see a fact.

pub(crate) mod audience;
pub(crate) mod window;
