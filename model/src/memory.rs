//! How much room an item takes, and when there is none. Law: `spec/memory.md`.

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
