//! Closed sets of words: enums that are stored by a word of theirs.

/// Defines an enum whose members have one word each, for storage and files.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($(#[$member_doc])* $member),+
        }

        impl $name {
            /// Every member.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The word in the database.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word),+
                }
            }

            /// The member with this word.
            pub(crate) fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word)
            }
        }
    };
}

pub(crate) use words;
