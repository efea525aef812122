//! The very second of a deadline, which no exchange with a real server may ask about.

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
    fn new() -> Bench {
        Bench {
            model: Model::new(Options::default(), Dialect::default()),
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

    fn at(&mut self, seconds: u64) -> &mut Bench {
        self.now = Time(NOW.0 + seconds);
        self
    }

    fn finds(&mut self, key: &str) -> bool {
        self.ask(&format!("get {key}\r\n")).bytes() != b"END\r\n"
    }
}

#[test]
fn an_item_lives_until_its_last_second_and_is_gone_in_it() {
    let mut bench = Bench::new();
    bench.ask("set k 0 10 1\r\na\r\n");
    assert!(bench.at(9).finds("k"));
    assert!(!bench.at(10).finds("k"));
}

#[test]
fn thirty_days_count_from_now_and_a_second_more_is_a_date() {
    let mut bench = Bench::new();
    bench.ask("set k 0 2592000 1\r\na\r\n");
    assert!(bench.at(2_591_999).finds("k"));
    assert!(!bench.at(2_592_000).finds("k"));
    let ruling = bench.ask("set k 0 2592001 1\r\na\r\n");
    assert!(ruling.cites(req!("expiration.absolute.past")));
    assert!(!bench.finds("k"));
}

#[test]
fn a_date_has_passed_when_it_is_now() {
    let mut bench = Bench::new();
    let ruling = bench.ask(&format!("set k 0 {} 1\r\na\r\n", NOW.0));
    assert!(ruling.cites(req!("expiration.absolute.past")));
    assert!(!bench.finds("k"));
    bench.ask("set k 0 0 1\r\na\r\n");
    let ruling = bench.ask(&format!("touch k {}\r\n", NOW.0));
    assert!(ruling.cites(req!("touch.past")));
    assert!(!bench.finds("k"));
}

#[test]
fn a_date_in_the_next_second_has_not_passed() {
    let mut bench = Bench::new();
    let ruling = bench.ask(&format!("set k 0 {} 1\r\na\r\n", NOW.0 + 1));
    assert!(ruling.cites(req!("expiration.absolute")));
    assert!(bench.finds("k"));
    assert!(!bench.at(1).finds("k"));
}

#[test]
fn a_touched_item_counts_from_the_touch() {
    let mut bench = Bench::new();
    bench.ask("set k 0 10 1\r\na\r\n");
    let ruling = bench.at(5).ask("touch k 10\r\n");
    assert!(!ruling.cites(req!("touch.past")));
    assert!(bench.at(14).finds("k"));
    assert!(!bench.at(15).finds("k"));
}
