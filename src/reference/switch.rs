//! What faults and variants have in common: a name for the command line and a sentence for a person.

use std::fmt;

/// A name that belongs to no switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSwitch {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) known: Vec<&'static str>,
}

impl fmt::Display for UnknownSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}` (known: {})", self.kind, self.name, self.known.join(", "))
    }
}

impl std::error::Error for UnknownSwitch {}

/// Makes an enum of switches from a table with one entry for each: case, name, the checks that it must trip, sentence.
macro_rules! switches {
    (
        $(#[$about:meta])*
        enum $Switch:ident, $kind:literal {
            $( $Case:ident, $name:literal $(, violates [$($check:literal),+])?: $summary:literal; )+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $Switch { $( #[doc = $summary] $Case, )+ }

        impl $Switch {
            /// Every one of them.
            pub const ALL: &'static [$Switch] = &[$( $Switch::$Case ),+];

            /// The name in kebab case, as the command line takes it.
            pub fn name(self) -> &'static str {
                match self { $( $Switch::$Case => $name, )+ }
            }

            /// What an implementation that has it does, in one sentence.
            pub fn summary(self) -> &'static str {
                match self { $( $Switch::$Case => $summary, )+ }
            }

            /// The ids of the checks that it violates; none where it is legal.
            pub fn violates(self) -> &'static [&'static str] {
                match self { $( $Switch::$Case => &[$($($check),+)?], )+ }
            }
        }

        impl std::fmt::Display for $Switch {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $Switch {
            type Err = $crate::reference::UnknownSwitch;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|switch| switch.name() == name).ok_or_else(|| Self::Err {
                    kind: $kind,
                    name: name.to_owned(),
                    known: Self::ALL.iter().map(|switch| switch.name()).collect(),
                })
            }
        }
    };
}

pub(super) use switches;
