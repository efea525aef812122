//! Laws of the binary protocol: it acts on the items that text acts on, and its frames are cut out
//! of the stream however they come.
//!
//! Requests are written in the notation of exchanges.

use model::{Model, Options, Reply, Ruling, Session, Time};
use quickcheck::{Arbitrary, Gen};
use spec::Dialect;
use spec::exchange::{Bindings, Frame, Header, cases};

use super::history::{Data, History, Key, World};
use crate::holds;

/// The requests that have a quiet twin, without their opcode; `K` is a key, `V` a value.
const TWINS: [(&str, &str, &str); 16] = [
    ("get", "getq", "key=K"),
    ("getk", "getkq", "key=K"),
    ("set", "setq", "key=K flags=7 exptime=0 value=V"),
    ("set", "setq", "key=K flags=0 exptime=30 value=V cas=3"),
    ("add", "addq", "key=K flags=7 exptime=0 value=V"),
    ("replace", "replaceq", "key=K flags=7 exptime=0 value=V"),
    ("append", "appendq", "key=K value=V"),
    ("prepend", "prependq", "key=K value=V cas=2"),
    ("delete", "deleteq", "key=K"),
    ("delete", "deleteq", "key=K cas=4"),
    ("incr", "incrq", "key=K delta=5 initial=7 exptime=0"),
    (
        "decr",
        "decrq",
        "key=K delta=5 initial=7 exptime=0xffffffff",
    ),
    ("gat", "gatq", "key=K exptime=40"),
    ("gatk", "gatkq", "key=K exptime=0"),
    ("flush", "flushq", ""),
    ("flush", "flushq", "exptime=20"),
];

/// One of [`TWINS`], loud and quiet.
#[derive(Clone, Debug)]
struct Twins {
    loud: Vec<u8>,
    quiet: Vec<u8>,
    retrieves: bool,
}

impl Arbitrary for Twins {
    fn arbitrary(g: &mut Gen) -> Twins {
        let (loud, quiet, fields) = g.choose(&TWINS).expect("there are twins");
        let Key(key) = Key::arbitrary(g);
        let value = g.choose(&["", "1", "42", "text"]).expect("there are some");
        let fields = fields.replace('K', key).replace('V', value);
        let request = |opcode| frame(format!("{opcode} {fields}").trim_end());
        Twins {
            loud: request(*loud),
            quiet: request(*quiet),
            retrieves: loud.starts_with('g'),
        }
    }
}

/// Bytes that look like frames, more or less; the first is 0x80.
#[derive(Clone, Debug)]
struct Frames(Vec<u8>);

const FRAMES: [&str; 22] = [
    "noop",
    "version",
    "get key=a",
    "getkq key=b opaque=7",
    "set key=a flags=1 exptime=0 value=12",
    "setq key=b flags=0 exptime=1 value=12",
    "append key=a value=x",
    "delete key=a",
    "incr key=a delta=1 initial=1 exptime=0",
    "touch key=a exptime=3",
    "gat key=a exptime=3 value=x",
    "flush exptime=5",
    "stat key=detail dump",
    "stat key=reset",
    "stat",
    "verbosity extras=1234",
    "0x50 key=abc value=def",
    "get key=a bodylen=60",
    "set key=b flags=0 exptime=0 bodylen=40",
    "set key=b flags=0 exptime=0 bodylen=0x200000",
    "sasl-auth key=PLAIN value=\\0alice\\0secret",
    "sasl-list",
];

const WRONG: [&str; 6] = [
    "noop magic=1",
    "get key=a keylen=9",
    "get key=a bodylen=0xffffffff",
    "add key=a value=x",
    "quit",
    "quitq",
];

impl Arbitrary for Frames {
    fn arbitrary(g: &mut Gen) -> Frames {
        let mut bytes = frame("noop");
        for _ in 0..usize::arbitrary(g) % 20 {
            match u8::arbitrary(g) % 24 {
                0 => bytes.push(u8::arbitrary(g)),
                1 => bytes.extend(frame(g.choose(&WRONG).expect("there are some"))),
                _ => bytes.extend(frame(g.choose(&FRAMES).expect("there are some"))),
            }
        }
        Frames(bytes)
    }
}

fn frame(text: &str) -> Vec<u8> {
    let frame = Frame::request(text).expect("it is in the notation");
    frame.render(&Bindings::new(), 0).expect("it has no holes")
}

/// The value in the notation.
fn escaped(Data(data): &Data) -> String {
    data.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

fn heard(rulings: &[Ruling]) -> Vec<u8> {
    rulings.iter().flat_map(Ruling::bytes).copied().collect()
}

#[test]
fn a_binary_set_is_a_set() {
    holds(
        (|history, Key(key), data, flags: u32| {
            let mut text = World::after(&history);
            let mut binary = text.as_another_client();
            text.set(key, &data, flags);
            let value = escaped(&data);
            let set = frame(&format!(
                "set key={key} flags={flags} exptime=0 value={value}"
            ));
            let reply = heard(&binary.say(&set));
            let unique = text.unique(key).expect("it was stored");
            reply.ends_with(&unique.to_be_bytes())
                && text.view() == binary.view()
                && text.counters() == binary.counters()
        }) as fn(History, Key, Data, u32) -> bool,
    );
}

#[test]
fn what_get_shows_is_what_text_shows() {
    holds(
        (|history, Key(key)| {
            let world = World::after(&history);
            let reply = heard(
                &world
                    .as_another_client()
                    .say(&frame(&format!("get key={key}"))),
            );
            let Some((Reply::Packets(packets), _)) = Reply::read(&reply) else {
                return false;
            };
            let shown = world.ask_apart(&format!("mg {key} f c v"));
            let packet = &packets[0];
            if packet.status != 0 {
                return shown == b"EN\r\n";
            }
            let flags = u32::from_be_bytes(packet.extras.as_slice().try_into().expect("4 bytes"));
            let (length, unique) = (packet.value.len(), packet.unique);
            let line = format!("VA {length} f{flags} c{unique}");
            shown.starts_with(line.as_bytes())
                && shown.ends_with(&[packet.value.as_slice(), b"\r\n"].concat())
        }) as fn(History, Key) -> bool,
    );
}

#[test]
fn a_quiet_twin_does_what_its_loud_one_does_and_says_no_more() {
    holds(
        (|history, twins: Twins| {
            let mut loud = World::after(&history).as_another_client();
            let mut quiet = loud.clone();
            let (told, mut whispered) = (
                heard(&loud.say(&twins.loud)),
                heard(&quiet.say(&twins.quiet)),
            );
            let succeeded = told.get(6..8) == Some(&[0, 0]);
            let silent = succeeded != twins.retrieves;
            if let Some(opcode) = whispered.get_mut(1) {
                *opcode = twins.loud[1];
            }
            let said = if silent { Vec::new() } else { told };
            whispered == said && loud.view() == quiet.view()
        }) as fn(History, Twins) -> bool,
    );
}

#[test]
fn cutting_frames_anywhere_changes_nothing() {
    holds(
        (|Frames(bytes), cut: usize| {
            let (mut whole, mut parts) = (World::new(), World::new());
            let (first, second) = bytes.split_at(cut % (bytes.len() + 1));
            let mut pieces = heard(&parts.say(first));
            pieces.extend(heard(&parts.say(second)));
            heard(&whole.say(&bytes)) == pieces && whole.view() == parts.view()
        }) as fn(Frames, usize) -> bool,
    );
}

#[test]
fn every_reply_to_a_frame_has_a_reason_and_can_be_read() {
    holds(
        (|Frames(bytes), dialect: usize| {
            let names = Dialect::shipped_names();
            let dialect = Dialect::shipped(names[dialect % names.len()]).expect("it ships");
            let rulings = World::following(&dialect).say(&bytes);
            rulings.len() <= bytes.len() / 24
                && rulings.iter().all(|ruling| {
                    let bytes = ruling.bytes();
                    let read = Reply::read(bytes).map(|(_, length)| length);
                    !ruling.because.is_empty() && (bytes.is_empty() || read == Some(bytes.len()))
                })
        }) as fn(Frames, usize) -> bool,
    );
}

/// A server that knows one user.
fn guarded() -> Model {
    let text = "r[binary.sasl.required] options=\"-S\" users=bob:b\n= closed\n";
    let header: Header = cases("here", text)
        .expect("it is in the notation")
        .remove(0)
        .header;
    let options = Options::of(&header).expect("the model knows them");
    Model::new(options, Dialect::default())
}

#[test]
fn who_is_not_known_changes_and_sees_nothing() {
    const NOW: Time = Time(1_800_000_000);
    holds(
        (|Frames(bytes)| {
            let mut model = guarded();
            let mut bob = Session::new();
            bob.receive(
                &mut model,
                &frame("sasl-auth key=PLAIN value=\\0bob\\0b"),
                NOW,
            );
            let ours = frame("set key=a flags=5 exptime=0 value=ours");
            let stored = heard(&bob.receive(&mut model, &ours, NOW));
            let stranger = heard(&Session::new().receive(&mut model, &bytes, NOW));
            let found = heard(&bob.receive(&mut model, &frame("get key=a"), NOW));
            stored.len() == 24
                && found.ends_with(b"\0\0\0\x05ours")
                && !stranger.windows(4).any(|seen| seen == b"ours")
        }) as fn(Frames) -> bool,
    );
}

#[test]
fn a_body_of_a_gibibyte_is_the_longest() {
    let ruled = |length: u64| {
        let request = frame(&format!("append key=k bodylen={length}"));
        let rulings = World::new().say(&request);
        let names = rulings[0].because.iter().map(|rule| rule.name);
        (names.collect::<Vec<_>>(), rulings[0].closes())
    };
    let (longest, closes) = ruled(1 << 30);
    assert!(longest.contains(&"binary.storage.too-large") && !closes);
    let (longer, closes) = ruled((1 << 30) + 1);
    assert!(longer.contains(&"binary.frames.huge") && closes);
}

#[test]
fn a_plain_request_is_nothing_odd() {
    const ODD: [&str; 10] = [
        "binary.frames.opaque",
        "binary.frames.ignored",
        "binary.frames.key-bytes",
        "binary.frames.quiet",
        "binary.frames.quiet-errors",
        "binary.retrieval.unique",
        "binary.storage.disabled.ignored",
        "binary.storage.exptime-unsigned",
        "binary.touch.value.executed",
        "binary.statistics.value.executed",
    ];
    for request in [
        "get key=k",
        "set key=k flags=0 exptime=5 value=a",
        "set key=k flags=0 exptime=0x7fffffff value=a cas=7",
        "touch key=k exptime=0",
        "stat key=sizes",
    ] {
        let rulings = World::new().say(&frame(request));
        let cited: Vec<_> = rulings[0].because.iter().map(|rule| rule.name).collect();
        let odd: Vec<_> = cited.iter().filter(|name| ODD.contains(name)).collect();
        assert!(odd.is_empty(), "{request}: {odd:?}");
    }
}

#[test]
fn neither_a_line_that_is_cut_nor_a_whole_frame_is_a_frame_that_is_cut() {
    let noop = frame("noop");
    for input in [b"get k".as_slice(), &noop] {
        let mut session = Session::new();
        session.receive(&mut Model::default(), input, Time(1_800_000_000));
        let end = session.end(&mut Model::default());
        let cited = end
            .because
            .iter()
            .any(|rule| rule.name == "binary.frames.cut");
        assert!(!cited, "{input:?}");
    }
}
