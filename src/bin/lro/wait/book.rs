//! Which operation an answer is about.

use std::collections::{BTreeMap, HashMap, HashSet};

use longrunning::OperationName;

/// The operations of a wait by their names.
///
/// A service may call an operation by another name than the one it was asked for: by the number of a project in place
/// of its id. Then the operation's own id tells which one it is, if no other has the same.
#[derive(Clone)]
pub(super) struct Book {
    by_name: HashMap<String, usize>,
    /// None for ids that several operations have.
    by_id: HashMap<String, Option<usize>>,
    open: HashSet<usize>,
}

impl Book {
    pub(super) fn new(names: &BTreeMap<usize, String>) -> Self {
        let mut by_id = HashMap::new();
        for (number, name) in names {
            by_id.entry(id(name)).and_modify(|known| *known = None).or_insert(Some(*number));
        }
        let by_name = names.iter().map(|(number, name)| (name.clone(), *number)).collect();
        Self { by_name, by_id, open: names.keys().copied().collect() }
    }

    /// The number of the operation that a service calls so.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied().or_else(|| self.by_id.get(&id(name)).copied().flatten())
    }

    /// Finds an operation for the last time.
    pub(super) fn strike(&mut self, name: &str) -> Option<usize> {
        self.find(name).filter(|number| self.open.remove(number))
    }

    /// Whether an operation was not struck off yet.
    pub(super) fn has(&self, number: usize) -> bool {
        self.open.contains(&number)
    }
}

fn id(name: &str) -> String {
    OperationName::try_from(name).map_or_else(|_| name.to_owned(), |name| name.id().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_service_gives() {
        let names = ["projects/p/operations/1", "projects/p/operations/2", "projects/q/operations/2", "4"];
        let names = names.iter().map(|name| (*name).to_owned()).enumerate().collect();
        let mut book = Book::new(&names);
        let rows = [
            ("as asked", "projects/p/operations/2", Some(1)),
            ("a project's number", "projects/77/operations/1", Some(0)),
            ("a collection", "operations/4", Some(3)),
            ("an id of two", "projects/77/operations/2", None),
            ("nothing", "", None),
        ];
        for (row, name, number) in rows {
            assert_eq!(book.find(name), number, "{row}");
        }
        assert_eq!((book.strike("projects/p/operations/1"), book.has(0)), (Some(0), false));
        assert_eq!((book.strike("projects/77/operations/1"), book.has(1)), (None, true), "once only");
    }
}
