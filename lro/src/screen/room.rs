//! The width of a screen, which columns take in the order of their importance.
//!
//! A column that finds no room gets zero and is left out, gap included. So a
//! narrow screen loses whole columns and no column becomes too narrow to read.

/// The columns of a screen that nothing has taken yet.
pub(crate) struct ColumnRoom(usize);

impl ColumnRoom {
    /// Begins with a whole line of this width.
    pub(crate) fn new(width: usize) -> Self {
        Self(width)
    }

    /// Takes all of a width and the `space` in front of it, or nothing. Returns
    /// the width without the space.
    pub(crate) fn take(&mut self, width: usize, space: usize) -> usize {
        self.take_up_to(width, width, space)
    }

    /// Takes at least `least` and at most `most` columns and the `space` in
    /// front of them, or nothing. Returns the width without the space.
    pub(crate) fn take_up_to(&mut self, least: usize, most: usize, space: usize) -> usize {
        // A column that wants nothing takes no gap either.
        if most == 0 || self.0 < least + space {
            return 0;
        }
        let width = most.min(self.0 - space);
        self.0 -= width + space;
        width
    }

    /// Takes the wanted width, but no more than `share` of what is left; a
    /// share that is too small for anything is raised to `least`.
    pub(crate) fn take_share(&mut self, wanted: usize, share: f64, least: usize) -> usize {
        let most = ((self.0 as f64 * share) as usize).max(least).min(self.0);
        let width = wanted.min(most);
        self.0 -= width;
        width
    }

    /// Takes what is left, but no more than is wanted.
    pub(crate) fn take_rest(&mut self, wanted: usize) -> usize {
        self.take_up_to(0, wanted, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_take_what_is_left() {
        let mut room = ColumnRoom::new(40);
        assert_eq!(room.take_share(30, 0.5, 8), 20);
        assert_eq!(room.take(6, 2), 6);
        assert_eq!(room.take(11, 2), 0, "all or nothing");
        assert_eq!(room.take_up_to(4, 30, 2), 10);
        assert_eq!(room.take_up_to(0, 30, 2), 0);
        assert_eq!(room.take_rest(5), 0);
        assert_eq!(ColumnRoom::new(10).take_share(30, 0.5, 8), 8);
        assert_eq!(ColumnRoom::new(5).take_share(30, 0.5, 8), 5);
        assert_eq!(ColumnRoom::new(5).take(0, 2), 0);
    }
}
