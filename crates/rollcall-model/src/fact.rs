//! The small closed vocabularies of a fact. Each value has one name, used in JSON, CSV, columns and messages, and one
//! number, used in storage: numbers are never changed or given to something else.

use serde::{Deserialize, Serialize};

/// Defines a vocabulary: an enum whose variants have a name on the wire and a number in storage.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number),+ }

        impl $name {
            /// Every value, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in JSON, CSV, columns and messages.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The number in storage.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The value of a name; names are lower case.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$variant),)+ _ => None }
            }

            /// The value of a number in storage.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

vocabulary! {
    /// What a fact is about.
    FactKind {
        /// A user was in a session.
        Attendance = 0 "attendance",
        /// A coding assistant served a user.
        Assistance = 1 "assistance",
    }
}

impl FactKind {
    /// Whether the default id of a fact is the hash of all that it says, so that two facts of one default id are the same.
    pub const fn is_all_in_default_id(self) -> bool {
        match self {
            Self::Attendance => false,
            Self::Assistance => true,
        }
    }
}

vocabulary! {
    /// What a coding assistant did for a user.
    AssistanceKind {
        /// Answered in a conversation.
        Chat = 0 "chat",
        /// Suggested code while the user typed.
        Completion = 1 "completion",
        /// Changed code.
        Edit = 2 "edit",
    }
}

vocabulary! {
    /// What a session is.
    SessionKind {
        /// People come together under a session id that may recur.
        Meeting = 0 "meeting",
        /// Peer to peer.
        Call = 1 "call",
        /// A room that people enter and leave.
        Room = 2 "room",
    }
}

vocabulary! {
    /// What a user is.
    UserKind {
        /// Belongs to the organization.
        Member = 0 "member",
        /// From outside the organization.
        Guest = 1 "guest",
        /// A meeting room's own device.
        Room = 2 "room",
        /// Dialled in by telephone.
        Phone = 3 "phone",
    }
}

vocabulary! {
    /// What a user attended on.
    Device {
        /// An installed program on a computer.
        Desktop = 0 "desktop",
        /// A browser on a computer.
        Web = 1 "web",
        /// A mobile telephone.
        Mobile = 2 "mobile",
        /// A tablet.
        Tablet = 3 "tablet",
        /// A meeting room's system.
        Room = 4 "room",
        /// A telephone line.
        Phone = 5 "phone",
        /// Not said.
        Unknown = 6 "unknown",
    }
}

impl Device {
    /// Whether the device is a computer: desktop or web.
    pub const fn is_computer(self) -> bool {
        matches!(self, Self::Desktop | Self::Web)
    }
}

vocabulary! {
    /// One medium that a user used in a session.
    Medium {
        /// Sound.
        Audio = 0 "audio",
        /// Camera.
        Video = 1 "video",
        /// Screen sharing.
        Screen = 2 "screen",
        /// Text messages.
        Message = 3 "message",
        /// File transfer.
        File = 4 "file",
    }
}

/// A set of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Media(u8);

impl Media {
    /// Audio alone: the default of a fact.
    pub const AUDIO: Self = Self(1);

    /// No medium.
    pub const NONE: Self = Self(0);

    /// The set with `medium` added.
    #[must_use]
    pub const fn with(self, medium: Medium) -> Self {
        Self(self.0 | 1 << medium.number())
    }

    /// Whether `medium` is in the set.
    pub const fn has(self, medium: Medium) -> bool {
        self.0 & (1 << medium.number()) != 0
    }

    /// The set as bits, bit n for the medium of number n: how it is stored.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of such bits; bits of no medium are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b1_1111)
    }
}
