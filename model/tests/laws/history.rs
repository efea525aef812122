//! Made-up histories, and the world after them: a model, a client, and the time.
//!
//! It never looks into the model: what an item is, a client asks. The laws are in `laws.rs`.

use std::collections::BTreeMap;

use model::{Model, Options, Reply, Ruling, Session, Time};
use quickcheck::{Arbitrary, Gen};
use spec::Dialect;

/// The keys that histories speak of: few, so that commands meet.
pub(crate) const KEYS: [&str; 4] = ["a", "b", "ab:c", "9"];

/// One of [`KEYS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(pub(crate) &'static str);

impl Arbitrary for Key {
    fn arbitrary(g: &mut Gen) -> Key {
        Key(g.choose(&KEYS).expect("there are keys"))
    }
}

/// A short data block of any bytes.
#[derive(Clone, Debug)]
pub(crate) struct Data(pub(crate) Vec<u8>);

impl Arbitrary for Data {
    fn arbitrary(g: &mut Gen) -> Data {
        let mut data = Vec::arbitrary(g);
        data.truncate(60);
        Data(data)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Data>> {
        Box::new(self.0.shrink().map(Data))
    }
}

/// What happened before.
#[derive(Clone, Debug)]
pub(crate) struct History(Vec<Event>);

#[derive(Clone, Debug)]
enum Event {
    Request(String),
    Seconds(u64),
}

impl Arbitrary for History {
    fn arbitrary(g: &mut Gen) -> History {
        let length = usize::arbitrary(g) % 12;
        History((0..length).map(|_| Event::arbitrary(g)).collect())
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = History>> {
        Box::new(self.0.shrink().map(History))
    }
}

/// Requests that a history is made of; `K` is a key, `D` a data block with its length before it.
const REQUESTS: [&str; 30] = [
    "set K 7 0 D",
    "set K 0 100 D",
    "set K 0 -1 D",
    "add K 0 0 D",
    "replace K 1 0 D",
    "append K 0 0 D",
    "prepend K 0 0 D",
    "get K",
    "gets K none K",
    "gat 50 K",
    "touch K 20",
    "touch K 0",
    "incr K 7",
    "decr K 3",
    "delete K",
    "flush_all",
    "flush_all 30",
    "flush_all noreply",
    "mg K v t",
    "mg K N30 v",
    "mg K T40 R50",
    "ms K D",
    "ms K D MA N30",
    "md K",
    "md K I T30",
    "md K x",
    "ma K D2",
    "ma K N0 J5 MD",
    "me K",
    "verbosity 1",
];

impl Arbitrary for Event {
    fn arbitrary(g: &mut Gen) -> Event {
        if u8::arbitrary(g) % 10 == 0 {
            return Event::Seconds(u64::arbitrary(g) % 40);
        }
        let form = g.choose(&REQUESTS).expect("there are forms");
        let data = g.choose(&["", "1", "42", "text", "18446744073709551615"]);
        let data = data.expect("there are data");
        let words = form.split(' ').map(|word| match word {
            "K" => Key::arbitrary(g).0.to_owned(),
            "D" => data.len().to_string(),
            word => word.to_owned(),
        });
        let mut request = words.collect::<Vec<_>>().join(" ");
        request.push_str("\r\n");
        if form.split(' ').any(|word| word == "D") {
            request.push_str(data);
            request.push_str("\r\n");
        }
        Event::Request(request)
    }
}

/// Bytes that look like the protocol, more or less.
#[derive(Clone, Debug)]
pub(crate) struct Noise(pub(crate) Vec<u8>);

const FRAGMENTS: [&str; 36] = [
    "set ",
    "add ",
    "cas ",
    "append ",
    "get ",
    "gets ",
    "gat ",
    "touch ",
    "incr ",
    "decr ",
    "delete ",
    "flush_all",
    "mg ",
    "ms ",
    "md ",
    "ma ",
    "me ",
    "mn",
    "stats",
    "version",
    "verbosity ",
    "a ",
    "b ",
    "0 ",
    "1 ",
    "2 ",
    "99 ",
    "-1 ",
    "v ",
    "k ",
    "q ",
    "MA ",
    "noreply",
    "\r\n",
    "\r\n",
    "\n",
];

impl Arbitrary for Noise {
    fn arbitrary(g: &mut Gen) -> Noise {
        let mut noise = Vec::new();
        for _ in 0..usize::arbitrary(g) % 60 {
            match u8::arbitrary(g) % 12 {
                // A first byte of 0x80 would not be text.
                0 => noise.push(u8::arbitrary(g) & if noise.is_empty() { 0x7f } else { 0xff }),
                1 => noise.extend_from_slice(b"set a 0 0 2\r\nok\r\n"),
                _ => noise.extend_from_slice(
                    g.choose(&FRAGMENTS)
                        .expect("there are fragments")
                        .as_bytes(),
                ),
            }
        }
        Noise(noise)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Noise>> {
        Box::new(self.0.shrink().map(Noise))
    }
}

/// A model, one client of it, and the time.
#[derive(Clone, Debug)]
pub(crate) struct World {
    model: Model,
    session: Session,
    now: Time,
    heard: Vec<Ruling>,
}

impl World {
    /// An empty cache.
    pub(crate) fn new() -> World {
        World::following(&Dialect::default())
    }

    /// An empty cache with these habits.
    pub(crate) fn following(dialect: &Dialect) -> World {
        World {
            model: Model::new(Options::default(), dialect.clone()),
            session: Session::new(),
            now: Time(1_800_000_000),
            heard: Vec::new(),
        }
    }

    /// The world after all this.
    pub(crate) fn after(history: &History) -> World {
        let mut world = World::new();
        for event in &history.0 {
            match event {
                Event::Request(request) => {
                    let rulings = world.say(request.as_bytes());
                    world.heard.extend(rulings);
                }
                Event::Seconds(seconds) => world.pass(*seconds),
            }
        }
        world
    }

    /// The model, and all that was heard on the way here.
    pub(crate) fn state(&self) -> (&Model, &[Ruling]) {
        (&self.model, &self.heard)
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now.0 += seconds;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Another client of the same cache.
    pub(crate) fn as_another_client(&self) -> World {
        World {
            session: Session::new(),
            ..self.clone()
        }
    }

    /// Sends bytes.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> Vec<Ruling> {
        self.session.receive(&mut self.model, bytes, self.now)
    }

    /// Sends a line, and returns the reply.
    pub(crate) fn ask(&mut self, line: &str) -> Vec<u8> {
        self.send(line, None)
    }

    /// Asks as another client, in a world that is then forgotten.
    pub(crate) fn ask_apart(&self, line: &str) -> Vec<u8> {
        self.as_another_client().ask(line)
    }

    /// `set` without a deadline.
    pub(crate) fn set(&mut self, key: &str, data: &Data, flags: u32) {
        let length = data.0.len();
        self.send(&format!("set {key} {flags} 0 {length}"), Some(data));
    }

    /// `ms` with these flags.
    pub(crate) fn meta_set(&mut self, key: &str, data: &Data, flags: &str) {
        let length = data.0.len();
        self.send(&format!("ms {key} {length} {flags}"), Some(data));
    }

    /// A classic storage command; a unique stands behind a `~`.
    pub(crate) fn store(&mut self, verb: &str, key: &str, data: &Data) -> Vec<u8> {
        self.send(&storage(verb, key, data), Some(data))
    }

    /// The same with `noreply`.
    pub(crate) fn store_silently(&mut self, verb: &str, key: &str, data: &Data) -> Vec<u8> {
        let line = format!("{} noreply", storage(verb, key, data));
        self.send(&line, Some(data))
    }

    fn send(&mut self, line: &str, data: Option<&Data>) -> Vec<u8> {
        let mut request = format!("{line}\r\n").into_bytes();
        if let Some(Data(data)) = data {
            request.extend_from_slice(data);
            request.extend_from_slice(b"\r\n");
        }
        self.say(&request)
            .iter()
            .flat_map(Ruling::bytes)
            .copied()
            .collect()
    }

    /// Whether a client would find an item.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.ask_apart(&format!("get {key}")) != b"END\r\n"
    }

    /// The item's unique.
    pub(crate) fn unique(&self, key: &str) -> Option<u64> {
        match Reply::read(&self.ask_apart(&format!("gets {key}"))) {
            Some((Reply::Values(values), _)) => values.first()?.unique,
            _ => None,
        }
    }

    /// The item's flags and the length of its data.
    pub(crate) fn measures(&self, key: &str) -> Option<(u32, u64)> {
        match Reply::read(&self.ask_apart(&format!("get {key}"))) {
            Some((Reply::Values(values), _)) => {
                let value = values.first()?;
                Some((value.flags, value.data.len() as u64))
            }
            _ => None,
        }
    }

    /// All that a client can learn of each key's item.
    pub(crate) fn view(&self) -> Vec<Vec<u8>> {
        let asked = KEYS.iter();
        asked
            .map(|key| self.ask_apart(&format!("mg {key} c f h s t v")))
            .collect()
    }

    /// The same without the uniques.
    pub(crate) fn view_without_uniques(&self) -> Vec<Vec<u8>> {
        let asked = KEYS.iter();
        asked
            .map(|key| self.ask_apart(&format!("mg {key} f h s t v")))
            .collect()
    }

    /// What `stats` says.
    pub(crate) fn statistics(&self) -> BTreeMap<String, String> {
        match Reply::read(&self.ask_apart("stats")) {
            Some((Reply::Stats(statistics), _)) => statistics.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }

    /// The counters of requests and their outcomes.
    pub(crate) fn counters(&self) -> BTreeMap<String, String> {
        const BEGINNINGS: [&str; 9] = [
            "cmd_",
            "get_",
            "delete_",
            "incr_",
            "decr_",
            "cas_",
            "touch_",
            "store_",
            "total_items",
        ];
        let mut counters = self.statistics();
        counters.retain(|name, _| {
            BEGINNINGS
                .iter()
                .any(|beginning| name.starts_with(beginning))
        });
        counters
    }
}

fn storage(verb: &str, key: &str, Data(data): &Data) -> String {
    let length = data.len();
    match verb.split_once('~') {
        Some((verb, unique)) => format!("{verb} {key} 0 0 {length} {unique}"),
        None => format!("{verb} {key} 0 0 {length}"),
    }
}

/// A key in base64.
pub(crate) fn base64(key: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for three in key.as_bytes().chunks(3) {
        let bytes = [0, 1, 2].map(|n| usize::from(three.get(n).copied().unwrap_or_default()));
        let bits = (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];
        for n in 0..4 {
            let digit = DIGITS
                .get((bits >> (18 - 6 * n)) & 63)
                .filter(|_| n <= three.len());
            encoded.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    encoded
}
