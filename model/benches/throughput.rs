//! How many small commands a second the model rules on one core: `cargo bench -p model`.

use std::hint::black_box;
use std::time::Instant;

use model::{Model, Session, Time};

const KEYS: usize = 10_000;
const ROUNDS: usize = 100;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn main() {
    let mut model = Model::default();
    let mut session = Session::new();
    for (name, request) in [
        (
            "set",
            &(|key| format!("set key:{key} 0 0 10\r\n0123456789\r\n")) as &dyn Fn(usize) -> String,
        ),
        ("get", &|key| format!("get key:{key}\r\n")),
        ("mg", &|key| format!("mg key:{key} v f t\r\n")),
        ("incr of a miss", &|key| format!("incr none:{key} 1\r\n")),
    ] {
        let requests: Vec<String> = (0..KEYS).map(request).collect();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for request in &requests {
                for ruling in session.receive(&mut model, request.as_bytes(), Time(1)) {
                    black_box(ruling.bytes());
                }
            }
        }
        let each = start.elapsed() / u32::try_from(KEYS * ROUNDS).expect("it is a million");
        println!("{name}: {each:?} each");
    }
}
