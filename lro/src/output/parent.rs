//! What names have in common.
//!
//! ```text
//! projects/p/locations/l/operations/copy   ─┐
//! projects/p/locations/l/operations/index  ─┴→  copy, index
//! ```

/// Returns the length in bytes of the parent that all names share, with the
/// slash at its end; 0 if they share none.
///
/// At least one segment stays of every name. A single name loses its parent
/// too, because the user typed it.
pub(crate) fn shared_parent(names: &[&str]) -> usize {
    let Some((first, others)) = names.split_first() else { return 0 };
    let mut parents = first.match_indices('/').map(|(at, _)| at + 1).rev();
    let shared = |end: &usize| {
        let parent = first.get(..*end).unwrap_or_default();
        *end < first.len() && others.iter().all(|name| name.starts_with(parent) && **name != *parent)
    };
    parents.find(shared).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_that_all_share_is_left_out() {
        let rows = [
            (vec!["a/operations/1", "a/operations/2"], 13),
            (vec!["a/operations/1", "a/operations/x/2"], 13),
            (vec!["a/operations/1", "b/operations/1"], 0),
            (vec!["a/operations/1"], 13),
            (vec!["a/operations/"], 2),
            (vec!["1"], 0),
            (vec![], 0),
        ];
        for (names, shared) in rows {
            assert_eq!(shared_parent(&names), shared, "{names:?}");
        }
    }
}
