//! The base cells, a file each, and the list of them.
//!
//! Fold, checkpoint, start, verification and the merging of runs go by the list: a new base cell is a file and a line here. Its
//! [`Base::Block`] says of which kind of fact it is made, and a kind may have several; then [`Block::entries`] counts the entries of all.

pub(super) mod stays;
pub(super) mod uses;

use super::base::Base;
use super::store::LiveRuns;
use crate::kinds::block::Block;
use rollcall_model::FactKind;

/// The list of base cells. Gives it to a macro: of each its module, which is also its field where a structure has one for each base cell,
/// and its type.
macro_rules! bases {
    ([$($then:tt)*] $($rest:tt)*) => {
        $($then)*! { [stays::Stays, uses::Uses] $($rest)* }
    };
}

/// Evaluates an expression once for each base cell, with the name before `=>` for it. Its value is an array, in the order of the list.
macro_rules! for_each_base {
    ($B:ident => $do:expr) => {
        $crate::cells::bases::bases!([$crate::cells::bases::for_each_base] $B => $do)
    };
    ([$($module:ident::$Base:ident),*] $B:ident => $do:expr) => {
        [$({
            type $B = $crate::cells::bases::$module::$Base;
            $do
        }),*]
    };
}

pub(super) use {bases, for_each_base};

/// What is known of a base cell because it is in the list.
pub trait Listed: Sized {
    /// Its position in the list.
    const POSITION: usize;

    /// The live runs of it.
    fn live(of_bases: &LiveBases) -> &LiveRuns<Self>
    where
        Self: Base;

    /// The same, to be changed.
    fn live_mut(of_bases: &mut LiveBases) -> &mut LiveRuns<Self>
    where
        Self: Base;
}

macro_rules! listed {
    ([$($module:ident::$Base:ident),*]) => {
        /// The live runs of each base cell.
        #[derive(Debug, Default)]
        pub struct LiveBases {
            $($module: LiveRuns<$module::$Base>,)*
        }

        /// The base cells by their positions.
        #[allow(non_camel_case_types, reason = "named as the fields are")]
        enum Position { $($module,)* }

        $(impl Listed for $module::$Base {
            const POSITION: usize = Position::$module as usize;

            fn live(of_bases: &LiveBases) -> &LiveRuns<Self> {
                &of_bases.$module
            }

            fn live_mut(of_bases: &mut LiveBases) -> &mut LiveRuns<Self> {
                &mut of_bases.$module
            }
        })*
    };
}

bases!([listed]);

/// How many base cells there are.
pub(super) const COUNT: usize = for_each_base!(B => B::POSITION).len();

/// Whether a base cell is the first of its kind of fact in the list: what is not about one base cell is done with it.
pub(super) fn is_first_of_kind<B: Base>() -> bool {
    let of_kind = for_each_base!(Other => (Other::POSITION, <Other as Base>::Block::KIND == B::Block::KIND));
    of_kind.into_iter().find(|(_, same)| *same).is_some_and(|(first, _)| first == B::POSITION)
}

/// How many days before and after the day of a fact of a kind the day of an entry may be.
pub(super) fn days_around(kind: FactKind) -> (i32, i32) {
    let of_bases = for_each_base!(B => (<B as Base>::Block::KIND, B::DAYS_BEFORE, B::DAYS_AFTER));
    let of_kind = of_bases.into_iter().filter(|(of, ..)| *of == kind);
    of_kind.fold((0, 0), |(before, after), (_, its_before, its_after)| (before.max(its_before), after.max(its_after)))
}
