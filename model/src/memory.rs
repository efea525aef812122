//! How much room an item takes, and when there is none. Law: `spec/memory.md`.

use alloc::borrow::Cow;

use spec::req;

use crate::Model;
use crate::reply::Reply;
use crate::ruling::Ruling;

/// What an item counts against `-I` and `-m`, by memcached's own sum: a header of 48 bytes, the key
/// and its terminator, the value and its line end, and the unique and the flags where it has them.
#[must_use]
pub fn size_of_item(key_length: u64, value_length: u64, has_flags: bool, has_unique: bool) -> u64 {
    let optional = if has_flags { 4_u64 } else { 0 }.saturating_add(if has_unique { 8 } else { 0 });
    48_u64
        .saturating_add(key_length)
        .saturating_add(value_length)
        .saturating_add(3)
        .saturating_add(optional)
}

/// The reply where an item cannot be made for lack of room, and there is no block to refuse.
pub(crate) const OUT_OF_MEMORY: Reply = Reply::ServerError(Cow::Borrowed("out of memory"));

impl Model {
    /// Whether an item of this size may be stored as memory stands.
    ///
    /// It always may, unless the server was started with `-M`: then all items together, by
    /// [`size_of_item`], must stay within `-m`. How a server shares its memory out is its own
    /// affair, so near the limit this is one answer among several.
    pub(crate) fn has_room_for(&self, key: &[u8], length: u64, flags: u32) -> bool {
        if !self.options.refuse_when_full {
            return true;
        }
        let used = self.items.iter().fold(0_u64, |sum, (key, item)| {
            sum.saturating_add(self.room_of(key, item.value.len() as u64, item.flags))
        });
        let needed = used.saturating_add(self.room_of(key, length, flags));
        needed <= self.options.memory_limit_bytes
    }

    pub(crate) fn room_of(&self, key: &[u8], length: u64, flags: u32) -> u64 {
        size_of_item(key.len() as u64, length, flags != 0, self.options.cas)
    }
}

/// Refuses an item that there is no room for. A command that would have put it in the place of
/// another, whatever that was, takes the other with it.
pub(crate) fn refuse(model: &mut Model, key: &[u8], replaces: bool) -> Ruling {
    let old = if replaces {
        model.items.remove(key);
        req!("memory.refuse.removes")
    } else {
        req!("memory.refuse.keeps")
    };
    Reply::ServerError(Cow::Borrowed("out of memory storing object"))
        .because(req!("memory.refuse.error"))
        .also(old)
}
