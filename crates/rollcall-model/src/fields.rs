//! The fields of facts: for each kind of fact an enum, from one list of names.

/// What the fields of a kind of fact are called. The kinds' own enums are [`crate::attendance::Field`] and
/// [`crate::assistance::Field`].
pub trait FactField: Copy + PartialEq + std::fmt::Debug + 'static {
    /// Every field, in the order of the documentation and of CSV headers.
    const NAMES: &'static [&'static str];

    /// What a name that is no field is answered with.
    const NO_SUCH_FIELD: &'static str;

    /// The field of a name.
    fn from_name(name: &str) -> Option<Self>;

    /// The name in JSON, CSV, columns and messages.
    fn name(self) -> &'static str;

    /// A bit that no other field has.
    fn bit(self) -> u32;
}

/// Defines the fields of a kind of fact.
macro_rules! fields {
    ($(#[$doc:meta])* $field:ident of $fact:literal: $($variant:ident $name:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "named as the fields are")]
        pub enum $field { $($variant),+ }

        impl $crate::fields::FactField for $field {
            const NAMES: &'static [&'static str] = &[$($name),+];
            const NO_SUCH_FIELD: &'static str = concat!("no such field; see the fields of ", $fact);

            fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            fn bit(self) -> u32 {
                1 << self as u32
            }
        }
    };
}

pub(crate) use fields;
