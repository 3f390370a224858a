//! The department tree of one day.

use super::document::Department;
use hashbrown::HashMap;

/// The departments that exist on a day. Made by [`Directory::tree_on`](super::Directory::tree_on).
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    /// Ascending by id.
    departments: Vec<&'a Department>,
    positions: HashMap<&'a str, usize>,
    /// The first department below each, and the next one below the same parent, as positions.
    first_below: Vec<Option<usize>>,
    next_beside: Vec<Option<usize>>,
}

impl<'a> Tree<'a> {
    /// The tree of departments that are ascending by id, each once, with every parent among them.
    pub(super) fn new(departments: Vec<&'a Department>) -> Self {
        let positions: HashMap<&str, usize> = departments.iter().enumerate().map(|(at, department)| (department.id.as_str(), at)).collect();
        let mut first_below = vec![None; departments.len()];
        let mut next_beside = vec![None; departments.len()];
        for (at, department) in departments.iter().enumerate() {
            let parent = department.parent_id.as_deref().and_then(|parent| first_below.get_mut(*positions.get(parent)?));
            if let (Some(first), Some(next)) = (parent, next_beside.get_mut(at)) {
                *next = first.replace(at);
            }
        }
        Self { departments, positions, first_below, next_beside }
    }

    /// The departments, ascending by the bytes of their ids. A parent that one names exists too.
    pub fn departments(&self) -> &[&'a Department] {
        &self.departments
    }

    /// Whether a department exists on the day.
    pub fn contains(&self, id: &str) -> bool {
        self.positions.contains_key(id)
    }

    /// Whether there is a department below one.
    pub fn has_below(&self, id: &str) -> bool {
        self.positions.get(id).and_then(|&at| self.first_below.get(at)).is_some_and(Option::is_some)
    }

    /// A department and all below it, ascending by the bytes of their ids; itself alone where the tree does not know it.
    pub fn subtree<'b>(&'b self, id: &'b str) -> Vec<&'b str> {
        let Some(&top) = self.positions.get(id) else { return vec![id] };
        let mut found = vec![top];
        let mut looked_at = 0;
        while let Some(&at) = found.get(looked_at) {
            looked_at += 1;
            let mut below = self.first_below.get(at).copied().flatten();
            while let Some(child) = below {
                found.push(child);
                below = self.next_beside.get(child).copied().flatten();
            }
        }
        // Positions are in the order of ids.
        found.sort_unstable();
        found.into_iter().filter_map(|at| self.departments.get(at)).map(|department| department.id.as_str()).collect()
    }
}
