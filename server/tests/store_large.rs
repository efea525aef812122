//! The largest values there may be: a gibibyte, which lies aside from the segments.
//!
//! They are marked in few places, and what nobody touches takes no memory of the machine: but for a
//! copy that is made on purpose, this takes neither time nor room.

use bytes::Bytes;
use server::Time;
use server::store::{
    Absence, Configuration, Draft, Expiry, Item, NoMemory, Store, Value, footprint,
};

const NOW: Time = Time::from_seconds(1_800_000_000);
const GIBIBYTE: usize = 1 << 30;
/// So far apart are the marks of a value.
const STEP: usize = 8 * 1024 * 1024;

/// The longest value under this key that `-I 1g` lets be stored.
const KEY: &[u8] = b"large";
const LONGEST: usize = GIBIBYTE - footprint(KEY.len(), 0, 0, true);

fn store(memory_bytes: usize, evicts: bool) -> Store {
    Store::new(Configuration {
        memory_bytes,
        evicts,
        has_uniques: true,
    })
}

/// The mark at a place of a value: of which value it is, and of which place.
fn mark(value: u64, place: usize) -> [u8; 8] {
    (value << 32 | place as u64).to_le_bytes()
}

fn value(number: u64, len: usize) -> Bytes {
    let mut value = vec![0; len];
    for place in (0..len - 8).step_by(STEP).chain([len - 8]) {
        let here = value.get_mut(place..place + 8).expect("it is inside");
        here.copy_from_slice(&mark(number, place));
    }
    value.into()
}

fn is_whole(found: &[u8], number: u64, len: usize) -> bool {
    let mut places = (0..len - 8).step_by(STEP).chain([len - 8]);
    found.len() == len
        && places.all(|place| found.get(place..place + 8) == Some(&mark(number, place)))
}

/// Stores a value in the memory that it came in, as a connection does.
fn put(store: &Store, key: &[u8], memory: &Bytes) -> Result<u64, NoMemory> {
    let draft = Draft {
        flags: 7,
        expiry: Expiry::at(NOW.seconds() + 60),
        ..Draft::new(Value::owned(memory))
    };
    store.entry(key, NOW, |entry| entry.insert(draft))
}

fn shows(store: &Store, key: &[u8], number: u64, len: usize) -> bool {
    let show = |item: Item<'_>| item.flags() == 7 && is_whole(item.value(), number, len);
    store.serve((key, store.trail(key)), NOW, show) == Ok(true)
}

#[test]
fn a_value_of_a_gibibyte_is_stored_read_overwritten_and_deleted() {
    let store = store(GIBIBYTE + GIBIBYTE / 2, true);
    let small = Bytes::from_static(b"beside it");
    let other = put(&store, b"small", &small).expect("there is room");
    let empty = store.tally();

    let first = put(&store, KEY, &value(1, LONGEST)).expect("there is room");
    assert!(shows(&store, KEY, 1, LONGEST));
    let full = store.tally();
    assert!(
        full.used_bytes >= empty.used_bytes + LONGEST as u64,
        "{full:?}"
    );
    assert!(full.used_bytes <= full.limit_bytes, "{full:?}");

    // Written over by one as long, which is copied: the old one is only borrowed meanwhile.
    let again = value(2, LONGEST);
    let second = store.entry(KEY, NOW, |entry| entry.overwrite(&again, None));
    drop(again);
    assert!(first < second && shows(&store, KEY, 2, LONGEST));
    assert_eq!(store.tally().used_bytes, full.used_bytes);

    // And by one a byte shorter. Beside the old one there is no room for it: nothing else goes.
    let third = put(&store, KEY, &value(3, LONGEST - 1)).expect("there is room");
    assert!(second < third && shows(&store, KEY, 3, LONGEST - 1));
    let tally = store.tally();
    assert_eq!((tally.items, tally.evictions), (2, 0), "{tally:?}");

    store.entry(KEY, NOW, |entry| entry.remove());
    let absence = store.serve((KEY, store.trail(KEY)), NOW, |_| ());
    assert_eq!(absence, Err(Absence::Unknown));
    let tally = store.tally();
    assert!(
        tally.used_bytes < empty.used_bytes + GIBIBYTE as u64 / 1000,
        "{tally:?}"
    );
    let found = store.entry(b"small", NOW, |entry| {
        entry
            .item()
            .map(|item| (item.unique(), item.value().to_vec()))
    });
    assert_eq!(found, Some((other, small.to_vec())));
    assert!(store.is_consistent());
}

/// Who still sends a value keeps it, however it was taken from the store.
#[test]
fn a_gibibyte_that_is_being_sent_stays_readable_when_its_item_is_gone() {
    let store = store(2 * GIBIBYTE, true);
    put(&store, KEY, &value(1, LONGEST)).expect("there is room");
    let trail = store.trail(KEY);
    let sent = store.serve((KEY, trail), NOW, |item| item.share_value());
    let sent = sent.expect("it was stored");
    store.flush();
    assert_eq!(
        store.serve((KEY, trail), NOW, |_| ()),
        Err(Absence::Flushed)
    );
    assert!(store.tally().used_bytes < GIBIBYTE as u64);
    assert!(is_whole(&sent, 1, LONGEST));
}

/// Two that do not fit beside each other: the older gives way, or the newer is refused.
#[test]
fn of_two_gibibytes_one_is_kept_whole() {
    for evicts in [true, false] {
        let store = store(GIBIBYTE + GIBIBYTE / 2, evicts);
        put(&store, b"first", &value(1, LONGEST)).expect("there is room");
        let stored = put(&store, b"other", &value(2, LONGEST));
        assert_eq!(stored.is_ok(), evicts);
        assert_eq!(shows(&store, b"first", 1, LONGEST), !evicts);
        assert_eq!(shows(&store, b"other", 2, LONGEST), evicts);
        let tally = store.tally();
        assert_eq!(tally.evictions, u64::from(evicts), "{tally:?}");
        assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
        assert!(store.is_consistent());
    }
}

/// Of large values no more are given up than must be, and never the one that was stored just now.
#[test]
fn large_values_fill_the_memory_and_the_newest_is_there() {
    const MEBIBYTE: usize = 1 << 20;
    for (mebibytes, len) in [(8, 100_000), (64, 20_000), (64, 500_000), (64, 3_000_000)] {
        let store = store(mebibytes * MEBIBYTE, true);
        let value = value(1, len);
        let fit = mebibytes * MEBIBYTE / len;
        let mut least = usize::MAX;
        for number in 0..3 * fit {
            let key = number.to_le_bytes();
            put(&store, &key, &value).expect("it evicts");
            assert!(shows(&store, &key, 1, len), "{number} is gone at once");
            if number > fit {
                least = least.min(usize::try_from(store.tally().items).expect("few"));
            }
        }
        println!("-m {mebibytes}, values of {len} B: of {fit} that fit {least} are there at least");
        assert!(least * 100 >= fit * 95, "{least} of {fit}");
        assert!(store.is_consistent());
    }
}
