//! Enums with a word for each member: the word is stored, logged and compared, so it never changes.

/// Defines an enum whose members have words.
macro_rules! words {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $name {
            $($(#[$member_doc])* $member),+
        }

        impl $name {
            /// Every member.
            $visibility const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The stored word.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word),+
                }
            }

            /// The member with this word.
            #[must_use]
            $visibility fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word)
            }
        }
    };
}

pub(crate) use words;
