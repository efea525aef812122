//! What of administration no exchange may show: it would end whoever plays it.

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
