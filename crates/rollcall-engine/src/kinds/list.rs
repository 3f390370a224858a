//! The list of kinds, and what goes by it.

use super::block::Commit;
use super::columns::Facts;
use super::{Assistance, Attendance, BlockOf, ColumnsOf, Kind};
use rollcall_model::{FactKind, OrgId};

/// The list of kinds, in the order of their numbers. Gives it to a macro: of each kind its module, which is also its field where a structure has one for
/// each kind, and its type, which is also its name in [`FactKind`].
#[macro_export]
#[doc(hidden)]
macro_rules! kinds {
    ([$($then:tt)*] $($rest:tt)*) => {
        $($then)*! { [attendance::Attendance, assistance::Assistance] $($rest)* }
    };
}

/// Evaluates an expression once for each kind of fact, with the name before `=>` for the kind: `for_each_kind!(K => sum += of::<K>()?)`.
/// Its value is an array, in the order of the list: see [`PerKind`].
#[macro_export]
macro_rules! for_each_kind {
    ($K:ident => $do:expr) => {
        $crate::kinds!([$crate::for_each_kind] $K => $do)
    };
    ([$($field:ident::$Kind:ident),*] $K:ident => $do:expr) => {
        [$({
            type $K = $crate::kinds::$Kind;
            $do
        }),*]
    };
}

/// Evaluates an expression for the kind that a `FactKind` is.
#[macro_export]
macro_rules! match_kind {
    ($kind:expr, $K:ident => $do:expr) => {
        $crate::kinds!([$crate::match_kind] $kind, $K => $do)
    };
    ([$($field:ident::$Kind:ident),*] $kind:expr, $K:ident => $do:expr) => {
        match $kind {
            $(rollcall_model::FactKind::$Kind => {
                type $K = $crate::kinds::$Kind;
                $do
            })*
        }
    };
}

/// What is known of a kind because it is in the list.
pub trait Listed: Sized {
    /// The blocks of the kind in a commit, by organization and UTC day.
    fn of_commit(commit: &Commit) -> &Vec<(OrgId, BlockOf<Self>)>
    where
        Self: Kind;

    /// The same, to be filled.
    fn of_commit_mut(commit: &mut Commit) -> &mut Vec<(OrgId, BlockOf<Self>)>
    where
        Self: Kind;

    /// The facts, if they are of the kind.
    fn of_facts(facts: &Facts) -> Option<&ColumnsOf<Self>>
    where
        Self: Kind;
}

/// How many kinds there are.
const COUNT: usize = FactKind::ALL.len();

macro_rules! listed {
    ([$($field:ident::$Kind:ident),*]) => {
        /// Something for each kind of fact.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct PerKind<T> {
            $(#[doc = concat!("That of `", stringify!($field), "`.")] pub $field: T,)*
        }

        impl<T> PerKind<T> {
            /// That of a kind.
            pub const fn of(&self, kind: FactKind) -> &T {
                match kind { $(FactKind::$Kind => &self.$field,)* }
            }

            /// That of a kind, to be changed.
            pub const fn of_mut(&mut self, kind: FactKind) -> &mut T {
                match kind { $(FactKind::$Kind => &mut self.$field,)* }
            }

            /// Those of all, in the order of the list.
            pub const fn each(&self) -> [&T; COUNT] {
                [$(&self.$field),*]
            }
        }

        impl<T> From<[T; COUNT]> for PerKind<T> {
            fn from([$($field),*]: [T; COUNT]) -> Self {
                Self { $($field),* }
            }
        }

        $(impl Listed for $Kind {
            fn of_commit(commit: &Commit) -> &Vec<(OrgId, BlockOf<Self>)> {
                &commit.$field
            }

            fn of_commit_mut(commit: &mut Commit) -> &mut Vec<(OrgId, BlockOf<Self>)> {
                &mut commit.$field
            }

            fn of_facts(facts: &Facts) -> Option<&ColumnsOf<Self>> {
                #[allow(irrefutable_let_patterns, reason = "there may be one kind")]
                if let Facts::$Kind(facts) = facts { Some(facts) } else { None }
            }
        })*
    };
}

crate::kinds!([listed]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fact_is_listed_at_its_number() {
        let listed = for_each_kind!(K => K::KIND);
        assert_eq!(listed, FactKind::ALL);
        for (position, kind) in listed.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), position);
            assert_eq!(match_kind!(kind, K => K::KIND), kind);
        }
    }
}
