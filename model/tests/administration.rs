//! What of administration no exchange shows: it would end whoever plays it, or be too long.

use model::{Model, Options, Session, Time};
use spec::{Dialect, req};

const NOW: Time = Time(1_800_000_000);

#[test]
fn shutdown_ends_a_server_that_allows_it() {
    for line in ["shutdown\r\n", "shutdown graceful\r\n"] {
        let options = Options::parse("-A").expect("the model knows -A");
        let mut model = Model::new(options, Dialect::default());
        let rulings = Session::new().receive(&mut model, line.as_bytes(), NOW);
        let [ruling] = rulings.as_slice() else {
            panic!("{rulings:?}");
        };
        assert!(ruling.closes() && ruling.bytes().is_empty());
        assert!(ruling.cites(req!("administration.shutdown.ends")));
    }
}

#[test]
fn a_watcher_who_comes_late_has_the_last_lines_only() {
    let mut model = Model::default();
    let (mut watcher, mut client) = (Session::new(), Session::new());
    watcher.receive(&mut model, b"watch\r\n", NOW);
    client.receive(&mut model, &b"get k\r\n".repeat(1030), NOW);
    let told = watcher.tick(&mut model, NOW);
    let text: Vec<u8> = told
        .iter()
        .flat_map(|ruling| ruling.bytes())
        .copied()
        .collect();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 1024);
    assert!(text.starts_with("ts=1800000000.0 gid=7 "), "{text}");
    assert!(watcher.tick(&mut model, NOW).is_empty());
}
