//! The meta commands to the very second, where a real clock would make an example flicker.

use model::{Model, Session, Time};

const START: Time = Time(1_800_000_000);

/// A client of a fresh model, and the seconds that have passed.
#[derive(Default)]
struct Client {
    model: Model,
    session: Session,
    seconds: u64,
}

impl Client {
    /// What is replied to these lines.
    fn ask(&mut self, lines: &str) -> String {
        let bytes = lines.replace('\n', "\r\n");
        let now = Time(START.0 + self.seconds);
        let rulings = self.session.receive(&mut self.model, bytes.as_bytes(), now);
        let reply = rulings
            .iter()
            .flat_map(|ruling| ruling.bytes().to_vec())
            .collect();
        String::from_utf8(reply)
            .expect("these replies are text")
            .replace("\r\n", "\n")
    }

    fn wait(&mut self, seconds: u64) {
        self.seconds += seconds;
    }
}

#[test]
fn t_returns_the_seconds_left() {
    let mut client = Client::default();
    client.ask("set k 0 10 1\na\n");
    assert_eq!(client.ask("mg k t\n"), "HD t10\n");
    client.wait(9);
    assert_eq!(client.ask("mg k t\n"), "HD t1\n");
    assert_eq!(
        client.ask("me k\n"),
        "ME k exp=1 la=0 cas=1 fetch=yes cls=1 size=61\n"
    );
    client.wait(1);
    assert_eq!(client.ask("mg k t\n"), "EN\n");
}

#[test]
fn r_wins_only_when_the_item_dies_before_its_token() {
    let mut client = Client::default();
    client.ask("set k 0 20 1\na\n");
    assert_eq!(client.ask("mg k R19\nmg k R20\n"), "HD\nHD\n");
    client.wait(1);
    assert_eq!(
        client.ask("mg k R19\nmg k R20\nmg k R20\n"),
        "HD\nHD W\nHD Z\n"
    );
}

#[test]
fn r_with_a_date_compares_dates() {
    let mut client = Client::default();
    client.ask("set k 0 20 1\na\n");
    let (same, later) = (START.0 + 20, START.0 + 21);
    assert_eq!(client.ask(&format!("mg k R{same}\n")), "HD\n");
    assert_eq!(client.ask(&format!("mg k R{later}\n")), "HD W\n");
}

#[test]
fn l_returns_the_seconds_since_the_last_use_before_this_one() {
    let mut client = Client::default();
    client.ask("set k 0 0 1\na\n");
    client.wait(5);
    assert_eq!(client.ask("mg k l u\n"), "HD l5\n");
    assert_eq!(
        client.ask("me k\n"),
        "ME k exp=-1 la=5 cas=1 fetch=no cls=1 size=61\n"
    );
    assert_eq!(client.ask("mg k l\n"), "HD l5\n");
    client.wait(3);
    assert_eq!(client.ask("mg k l\n"), "HD l3\n");
}

#[test]
fn a_vivified_item_was_last_used_when_it_was_made() {
    let mut client = Client::default();
    assert_eq!(client.ask("mg k N100 u l\n"), "HD l0 W\n");
    client.wait(4);
    assert_eq!(client.ask("mg k l h\n"), "HD l4 h0 Z\n");
}

#[test]
fn a_vivified_item_was_stored_when_it_was_made() {
    let mut client = Client::default();
    assert_eq!(
        client.ask("flush_all\nmg k N100\nmg k\n"),
        "OK\nHD W\nHD Z\n"
    );
}

#[test]
fn me_shows_what_an_item_takes() {
    let mut client = Client::default();
    client.ask("set key 7 0 5\nvalue\n");
    assert_eq!(
        client.ask("me key\n"),
        "ME key exp=-1 la=0 cas=1 fetch=no cls=1 size=71\n"
    );
}
