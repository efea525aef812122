//! What the law leaves to a server, settled from outside, and edges that no real server shares.

use model::{Model, Options, Ruling, Session, Time};
use spec::{Dialect, req};

const NOW: Time = Time(1_800_000_000);

/// A model and one client, at a time that the test moves.
struct Bench {
    model: Model,
    session: Session,
    now: Time,
}

impl Bench {
    fn new(options: &str, dialect: &str) -> Bench {
        Bench {
            model: Model::new(
                Options::parse(options).expect("the model knows them"),
                Dialect::shipped(dialect).expect("it ships"),
            ),
            session: Session::new(),
            now: NOW,
        }
    }

    /// The last ruling on what is sent.
    fn ask(&mut self, request: &str) -> Ruling {
        let rulings = self
            .session
            .receive(&mut self.model, request.as_bytes(), self.now);
        rulings.into_iter().next_back().expect("it is ruled")
    }

    /// What that ruling says.
    fn told(&mut self, request: &str) -> String {
        String::from_utf8(self.ask(request).bytes().to_vec()).expect("text")
    }

    fn set(&mut self, key: &str, length: usize) -> String {
        let value = "1".to_owned() + &" ".repeat(length - 1);
        self.told(&format!("set {key} 0 0 {length}\r\n{value}\r\n"))
    }

    fn total_items(&mut self) -> String {
        let stats = self.told("stats\r\n");
        let total = stats.lines().find(|line| line.contains("total_items"));
        total.expect("it is listed").to_owned()
    }

    fn at(&mut self, seconds: u64) -> &mut Bench {
        self.now = Time(NOW.0 + seconds);
        self
    }

    fn finds(&mut self, key: &str) -> bool {
        self.told(&format!("get {key}\r\n")) != "END\r\n"
    }
}

fn lawful() -> Bench {
    Bench::new("", "law")
}

#[test]
fn a_forgotten_item_is_missing_and_the_others_stay() {
    let mut bench = lawful();
    bench.ask("set k 0 0 1\r\na\r\n");
    bench.ask("set other 0 0 1\r\na\r\n");
    bench.model.forget(b"k");
    assert!(!bench.finds("k"));
    assert!(bench.finds("other"));
}

#[test]
fn an_adopted_unique_matches_and_later_ones_are_larger() {
    let mut bench = lawful();
    bench.ask("set k 0 0 1\r\na\r\n");
    bench.model.adopt_unique(b"k", 700);
    bench.model.adopt_unique(b"nobody", 9000);
    assert_eq!(bench.told("gets k\r\n"), "VALUE k 0 1 700\r\na\r\nEND\r\n");
    assert_eq!(bench.told("cas k 0 0 1 700\r\nb\r\n"), "STORED\r\n");
    assert_eq!(bench.told("gets k\r\n"), "VALUE k 0 1 701\r\nb\r\nEND\r\n");
    bench.model.adopt_unique(b"k", 5);
    bench.ask("set k 0 0 1\r\nc\r\n");
    assert_eq!(bench.told("gets k\r\n"), "VALUE k 0 1 702\r\nc\r\nEND\r\n");
}

#[test]
fn a_settled_number_is_marked_as_a_new_item_is() {
    for (dialect, marks) in [("law", "HD W X"), ("memcached-1.6.45", "HD")] {
        let mut bench = Bench::new("", dialect);
        bench.ask("set n 0 0 1\r\n1\r\n");
        bench.ask("md n I\r\n");
        bench.ask("ma n\r\n");
        bench.model.settle_incr(b"n");
        let told = bench.told("mg n\r\n");
        let words = |text: &str| {
            text.split_whitespace()
                .collect::<std::collections::BTreeSet<_>>()
                .len()
        };
        assert_eq!(words(&told), words(marks), "{dialect}: {told}");
    }
}

#[test]
fn a_settled_number_has_its_own_length_and_is_an_item_more() {
    let mut bench = lawful();
    bench.ask("set n 0 0 3\r\n100\r\n");
    bench.ask("decr n 1\r\n");
    assert_eq!(bench.total_items(), "STAT total_items 1");
    bench.model.settle_incr(b"n");
    assert_eq!(bench.told("get n\r\n"), "VALUE n 0 2\r\n99\r\nEND\r\n");
    assert_eq!(bench.total_items(), "STAT total_items 2");
    bench.model.settle_incr(b"nobody");
    assert_eq!(bench.total_items(), "STAT total_items 2");
}

#[test]
fn a_number_that_grows_is_an_item_more_and_one_that_does_not_is_none() {
    let mut bench = lawful();
    bench.ask("set n 0 0 1\r\n8\r\n");
    bench.ask("incr n 1\r\n");
    assert_eq!(bench.total_items(), "STAT total_items 1");
    bench.ask("incr n 1\r\n");
    assert_eq!(bench.total_items(), "STAT total_items 2");
}

#[test]
fn half_a_megabyte_with_its_header_still_counts_and_a_byte_more_does_not() {
    // 48 bytes of header, a key of one byte and its end, the block's line end, the unique.
    let longest = (512 << 10) - (48 + 1 + 1 + 2 + 8);
    let mut bench = lawful();
    bench.set("n", longest);
    assert_eq!(bench.told("incr n 1\r\n"), "2\r\n");
    bench.set("n", longest + 1);
    assert!(
        bench
            .ask("incr n 1\r\n")
            .cites(req!("arithmetic.value.large"))
    );
    let mut bench = Bench::new("-C", "law");
    bench.set("n", longest + 8);
    assert_eq!(bench.told("incr n 1\r\n"), "2\r\n");
    bench.set("n", longest + 9);
    assert!(
        bench
            .ask("incr n 1\r\n")
            .cites(req!("arithmetic.value.large"))
    );
    let flagged = format!("set n 1 0 {longest}\r\n1{}\r\n", " ".repeat(longest + 7));
    let flagged = flagged.replace(&longest.to_string(), &(longest + 8).to_string());
    assert_eq!(bench.told(&flagged), "STORED\r\n");
    assert!(
        bench
            .ask("incr n 1\r\n")
            .cites(req!("arithmetic.value.large"))
    );
}

#[test]
fn memory_is_full_at_the_limit_and_not_a_byte_before() {
    // Two items under keys of one byte: each takes 60 bytes beside its value.
    let (first, second) = (500_000, (1 << 20) - 500_000 - 2 * 60);
    let mut bench = Bench::new("-M -m 1", "law");
    assert_eq!(bench.set("a", first), "STORED\r\n");
    assert!(
        bench
            .set("b", second + 1)
            .starts_with("SERVER_ERROR out of memory")
    );
    assert_eq!(bench.set("b", second), "STORED\r\n");
    assert!(bench.set("c", 1).starts_with("SERVER_ERROR out of memory"));
    bench.ask("delete b\r\n");
    let flagged = format!("set b 1 0 {second}\r\n{}\r\n", "b".repeat(second));
    assert!(
        bench
            .told(&flagged)
            .starts_with("SERVER_ERROR out of memory")
    );
    let mut bench = Bench::new("-m 1", "law");
    bench.set("a", first);
    bench.set("b", second);
    assert_eq!(bench.set("c", first), "STORED\r\n");
}

#[test]
fn a_delayed_flush_comes_in_its_second_and_spares_what_is_stored_in_it() {
    let mut bench = lawful();
    bench.ask("set k 0 0 1\r\na\r\n");
    bench.ask("flush_all 10\r\n");
    assert!(bench.at(9).finds("k"));
    bench.ask("set late 0 0 1\r\na\r\n");
    assert!(!bench.at(10).finds("k"));
    assert!(!bench.finds("late"));
    bench.ask("set k 0 0 1\r\na\r\n");
    assert!(bench.finds("k"));
}

#[test]
fn memcached_flushes_a_second_early_and_what_is_stored_in_it() {
    let mut bench = Bench::new("", "memcached-1.6.45");
    bench.ask("set k 0 0 1\r\na\r\n");
    bench.ask("flush_all 10\r\n");
    assert!(bench.at(8).finds("k"));
    assert!(!bench.at(9).finds("k"));
    bench.ask("set k 0 0 1\r\na\r\n");
    assert!(!bench.finds("k"));
    bench.at(10).ask("set k 0 0 1\r\na\r\n");
    assert!(bench.finds("k"));
}

#[test]
fn a_flush_that_was_due_this_second_is_not_replaced_but_done() {
    let mut bench = lawful();
    bench.ask("set k 0 0 1\r\na\r\n");
    bench.ask("flush_all 10\r\n");
    assert!(
        bench
            .at(10)
            .ask("flush_all 100\r\n")
            .cites(req!("flush.lasts"))
    );
    assert!(!bench.finds("k"));
    assert!(bench.ask("flush_all 50\r\n").cites(req!("flush.replaced")));
}

#[test]
fn a_date_is_past_in_its_own_second_and_before_the_start_a_minute_earlier() {
    for (date, dialect, flushes) in [
        (NOW.0, "law", true),
        (NOW.0 + 1, "law", false),
        (NOW.0 - 61, "law", true),
        (NOW.0 - 60, "memcached-1.6.45", true),
        (NOW.0 - 61, "memcached-1.6.45", false),
    ] {
        let mut bench = Bench::new("", dialect);
        bench.ask("set k 0 0 1\r\na\r\n");
        assert_eq!(bench.told(&format!("flush_all {date}\r\n")), "OK\r\n");
        assert_eq!(bench.finds("k"), !flushes, "{date} as {dialect}");
    }
}

#[test]
fn sizes_are_read_with_and_without_their_unit() {
    let largest = |option: &str| Options::parse(option).map(|options| options.item_size_max_bytes);
    assert_eq!(largest("-I 512k"), Ok(512 << 10));
    assert_eq!(largest("-I 512K"), Ok(512 << 10));
    assert_eq!(largest("-I 2m"), Ok(2 << 20));
    assert_eq!(largest("-I 2M"), Ok(2 << 20));
    assert_eq!(largest("-I 2000"), Ok(2000));
    assert!(largest("-I k").is_err());
}

#[test]
fn prefixes_are_counted_up_to_a_ceiling_and_those_known_go_on() {
    let prefixes = |dialect: &str| {
        let mut bench = Bench::new("-D :", dialect);
        for n in 0..10_001 {
            bench.told(&format!("get p{n}:k\r\n"));
        }
        bench.told("get p0:k\r\n");
        let dump = bench.told("stats detail dump\r\n");
        assert!(dump.contains("PREFIX p0 get 2 hit"));
        dump.lines().count() - 1
    };
    assert_eq!(prefixes("law"), 10_000);
    assert_eq!(prefixes("memcached-1.6.45"), 10_001);
}

/// A cache of a megabyte with a number in it, and so many bytes left.
fn almost_full(left_bytes: usize) -> Bench {
    const LIMIT_BYTES: usize = 1 << 20;
    // What an item takes beside its value, under a key of one byte.
    const ITEM_BYTES: usize = 60;
    let mut bench = Bench::new("-M -m 1", "law");
    assert_eq!(bench.told("set n 5 0 1\r\n9\r\n"), "STORED\r\n");
    let used = 2 * ITEM_BYTES + 1 + 4;
    assert_eq!(
        bench.set("a", LIMIT_BYTES - used - left_bytes),
        "STORED\r\n"
    );
    bench
}

#[test]
fn an_item_is_made_without_a_block_where_there_is_room_and_not_where_a_byte_is_short() {
    const NO_ROOM: &str = "SERVER_ERROR out of memory\r\n";
    let told = |request: &str, left_bytes| almost_full(left_bytes).told(request);
    assert_eq!(told("mg b N0\r\n", 60), "HD W\r\n");
    assert_eq!(told("mg b N0\r\n", 59), "EN\r\n");
    assert_eq!(told("mg b\r\n", 60), "EN\r\n");
    assert_eq!(told("ma b N0\r\n", 61), "HD\r\n");
    assert_eq!(told("ma b N0 q\r\n", 60), NO_ROOM);
    assert_eq!(told("md n x\r\n", 60), "HD\r\n");
    assert_eq!(told("md n x\r\n", 59), NO_ROOM);
    assert_eq!(told("md n x I F7\r\n", 64), "HD\r\n");
    assert_eq!(told("md n x I F7\r\n", 63), NO_ROOM);
    assert_eq!(told("md n I\r\n", 0), "HD\r\n");
    assert_eq!(told("incr n 1\r\n", 66), "10\r\n");
    assert_eq!(told("incr n 1\r\n", 65), NO_ROOM);
    assert_eq!(told("ma n v\r\n", 66), "VA 2\r\n10\r\n");
    assert_eq!(told("ma n v q\r\n", 65), NO_ROOM);
    assert_eq!(told("decr n 1\r\n", 0), "8\r\n");
}

#[test]
fn what_there_was_no_room_for_left_the_key_as_it_was_and_says_why() {
    let mut bench = almost_full(0);
    for request in [
        "incr n 1\r\n",
        "ma n\r\n",
        "ma b N0\r\n",
        "md n x\r\n",
        "mg b N0\r\n",
    ] {
        assert!(
            bench.ask(request).cites(req!("memory.refuse.made")),
            "{request}"
        );
    }
    assert!(!bench.ask("mg b\r\n").cites(req!("memory.refuse.made")));
    assert_eq!(bench.told("get n b\r\n"), "VALUE n 5 1\r\n9\r\nEND\r\n");
    assert!(bench.told("stats\r\n").contains("STAT incr_hits 0\r\n"));
}

#[test]
fn a_binary_counter_is_made_or_grows_where_there_is_room_and_not_where_a_byte_is_short() {
    let status = |key: u8, initial: u8, left_bytes| {
        let mut bench = almost_full(left_bytes);
        let frame = [
            &[0x80, 0x05, 0, 1, 20, 0, 0, 0, 0, 0, 0, 21][..],
            &[0; 12],
            &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, initial],
            &[0, 0, 0, 0, key],
        ];
        let rulings = Session::new().receive(&mut bench.model, &frame.concat(), NOW);
        let ruling = rulings.last().expect("it is ruled");
        ruling.bytes()[7]
    };
    assert_eq!(status(b'n', 0, 66), 0);
    assert_eq!(status(b'n', 0, 65), 0x82);
    assert_eq!(status(b'b', 10, 62), 0);
    assert_eq!(status(b'b', 10, 61), 0x82);
}
