//! What the law leaves to a server, and a run must tell the model before it can go on.
//!
//! The model answers as one lawful server would. Whoever holds it to the replies of another settles
//! the difference here, and only what is listed here: these functions never make an unlawful state.
//! `forget` belongs to `spec/memory.md`, `settle_incr` to `spec/arithmetic.md`.

use alloc::vec::Vec;

use crate::Model;
use crate::arithmetic::forget_marks;
use crate::statistics::count;

impl Model {
    /// Evicts the item of this key, as a server that is short of memory may.
    ///
    /// Without pressure on the memory a missing item is no freedom: the caller must know that there
    /// was some.
    pub fn forget(&mut self, key: &[u8]) {
        self.items.remove(key);
    }

    /// Takes the unique that a server was seen to give to this key's item.
    ///
    /// The uniques given from here on are larger than it, so that those of a key still only grow.
    pub fn adopt_unique(&mut self, key: &[u8], unique: u64) {
        if let Some(item) = self.items.get_mut(key) {
            item.unique = unique;
            self.last_unique = self.last_unique.max(unique);
        }
    }

    /// Stores the number that this key was just counted to at its own length.
    ///
    /// The model writes it into the item, and pads one that lost digits; a server that makes a new
    /// item for it does not, counts one item more, and may know nothing of the old one's marks.
    pub fn settle_incr(&mut self, key: &[u8]) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let padding = item.value.iter().rev().take_while(|byte| **byte == b' ');
        let length = item.value.len().saturating_sub(padding.count());
        item.value.truncate(length);
        forget_marks(&self.dialect, item, &mut Vec::new());
        count(&mut self.counters.total_items);
    }
}
