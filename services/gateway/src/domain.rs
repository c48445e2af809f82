//! Rules of the edge, pure: what looks like a card number, how a window counts, who may see a fact.

pub(crate) mod audience;
pub(crate) mod card;
pub(crate) mod window;
