//! Every sequence of a few commands out of a small alphabet.
//!
//! Each has keys of its own, and what it left behind is looked at before the next begins; then it
//! is deleted. So one server serves many, and only what the server keeps beside its items could
//! pass from one to the next. Nothing is left out of the bound that is named.

use super::history::{Ask, FIRST_BINARY, Frame, Request, Step, Word};
use super::make::Bounds;
use super::peer::Server;
use super::{Exploration, Found};

/// Longer sequences than that take days.
pub const DEPTH_MAX: i64 = 4;
/// A server serves so many sequences, and then another is started.
const SERVED_MAX: u64 = 20_000;

impl Exploration {
    /// Plays every sequence of so many commands, until the time is over or enough are answered
    /// otherwise. A shorter one is the beginning of a longer one.
    #[must_use]
    pub fn exhaust(&self, depth: u8) -> Found {
        let out_of_time = self.clock(self.budget);
        let letters = alphabet(Server::bounds(&self.target));
        let all = (letters.len() as u64).saturating_pow(depth.into());
        let (nth, of) = self.shard;
        let mut found = Found::default();
        let mut player = None;
        let mut before = Vec::new();
        for number in (nth..all).step_by(usize::try_from(of).unwrap_or(usize::MAX)) {
            if found.histories >= self.histories_max || out_of_time() {
                return found;
            }
            if found.histories.is_multiple_of(SERVED_MAX) {
                player = None;
            }
            let playing = match player.take().map_or_else(|| self.player(number), Ok) {
                Ok(playing) => playing,
                Err(problem) => {
                    found.problem = Some(problem);
                    return found;
                }
            };
            let playing = player.insert(playing);
            playing.begin_anew(number);
            let sequence = sequence(&letters, depth, number);
            found.histories += 1;
            found.requests += sequence.len() as u64;
            let difference = playing.steps(&sequence);
            found.reached.append(&mut playing.rules);
            if difference.is_some() {
                player = None;
                if self.is_enough(&mut found, &[before, sequence.clone()]) {
                    return found;
                }
            }
            before = sequence;
        }
        found.complete = of == 1;
        found
    }
}

/// The sequence of this number, a look at what it left, and the end of that.
fn sequence(letters: &[Step], depth: u8, number: u64) -> Vec<Step> {
    let mut rest = usize::try_from(number).unwrap_or(usize::MAX);
    let mut steps = Vec::new();
    for _ in 0..depth {
        steps.extend(letters.get(rest % letters.len().max(1)).cloned());
        rest /= letters.len().max(1);
    }
    for (nth, look) in LOOKS.iter().enumerate() {
        let joined = nth > 0;
        steps.push(Step::Ask(Ask {
            joined,
            ..Ask::plain(2, line(look))
        }));
    }
    steps
}

/// What ends each sequence, in one write.
const LOOKS: [&str; 5] = [
    "gets A B",
    "mg A t f h",
    "mg B t f h",
    "delete A",
    "delete B",
];

/// The commands, in one order for ever, as far as such a target may be sent them.
#[must_use]
pub fn alphabet(bounds: Bounds) -> Vec<Step> {
    let mut letters: Vec<Step> = Vec::new();
    let asks = |client, text: &str| Step::Ask(Ask::plain(client, line(text)));
    let may_be = |text: &&&str| bounds.meta || !text.starts_with('m');
    letters.extend(LINES.iter().filter(may_be).map(|text| asks(1, text)));
    letters.extend(OTHERS.iter().filter(may_be).map(|text| asks(2, text)));
    if bounds.binary {
        let framed = |client, frame| Step::Ask(Ask::plain(client, Request::Frame(frame)));
        letters.extend(frames().map(|frame| framed(FIRST_BINARY, frame)));
        letters.extend(other_frames().map(|frame| framed(FIRST_BINARY + 1, frame)));
    }
    if bounds.shared {
        letters.push(asks(1, "flush_all"));
    }
    if bounds.ours {
        letters.push(Step::Pass(3));
    }
    letters
}

/// Lines of another client.
const OTHERS: [&str; 4] = ["set A 0 0 1⏎2", "get A", "mg A c v", "delete A"];

/// Lines of the first client: `A` and `B` are the keys, a `⏎` ends the line before a block, `{u}`
/// is the unique shown last of the key of the line.
const LINES: [&str; 45] = [
    "set A 0 0 1⏎1",
    "set A 5 0 2⏎10",
    "set B 0 100 1⏎x",
    "set A 0 -1 1⏎1",
    "set A 0 2 1⏎1",
    "set A 0 0 1 noreply⏎x",
    "set A x 0 1⏎x",
    "add A 0 0 1⏎a",
    "replace A 7 0 2⏎99",
    "append A 9 9 1⏎0",
    "prepend A 0 0 1⏎1",
    "append A 0 0 0⏎",
    "cas A 3 0 1 {u}⏎c",
    "cas B 3 0 1 5⏎c",
    "get A",
    "gets A",
    "gets A B A",
    "gat 100 A",
    "gats 0 A B",
    "touch A 100",
    "touch A -1",
    "delete A",
    "delete A noreply",
    "incr A 1",
    "decr A 91",
    "incr A 18446744073709551615 noreply",
    "mg A",
    "mg A v s t f c h l k O7",
    "mg A q v",
    "mg A N100 v t",
    "mg A R101 v t",
    "mg A T50 t",
    "mg A E5000000001 N0 c",
    "ms A 1 c⏎m",
    "ms A 2 MA N0 b I⏎mm",
    "ms A 1 I C{u} c⏎m",
    "ms A 1 MP T30⏎5",
    "ms A 1 MR F9 q⏎m",
    "md A",
    "md A I T30",
    "md A q C{u}",
    "md A x",
    "ma A v t",
    "ma A MD D5 N30 J13 v c",
    "me A",
];

fn frames() -> impl Iterator<Item = Frame> {
    let stored = [0, 0, 0, 9, 0, 0, 0, 100];
    let counted = [[0_u8, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
    let frame = |opcode, extras: &[u8], value: &str| Frame {
        opcode,
        opaque: 7,
        unique: None,
        extras: extras.to_vec(),
        key: b"a".to_vec(),
        value: value.into(),
    };
    let named = |frame| Frame {
        unique: Some(0),
        ..frame
    };
    [
        frame(0x00, &[], ""),
        frame(0x0d, &[], ""),
        frame(0x01, &stored, "1"),
        named(frame(0x01, &stored, "9")),
        frame(0x12, &stored, "1"),
        frame(0x03, &stored, ""),
        frame(0x0e, &[], "0"),
        frame(0x04, &[], ""),
        named(frame(0x14, &[], "")),
        frame(0x05, &[counted.as_slice(), &[0; 4]].concat(), ""),
        frame(0x06, &[counted.as_slice(), &[0xff; 4]].concat(), ""),
        frame(0x1c, &[0, 0, 0, 100], ""),
        frame(0x1d, &[0; 4], ""),
        Frame {
            opcode: 0x0a,
            ..Frame::default()
        },
    ]
    .into_iter()
}

/// Frames of another client: of those above, some on either key.
fn other_frames() -> impl Iterator<Item = Frame> {
    let on_b = |frame: Frame| Frame {
        key: b"b".to_vec(),
        ..frame
    };
    let some = |at| frames().nth(at).unwrap_or_default();
    [some(0), some(2), some(9), on_b(some(1)), on_b(some(2))].into_iter()
}

/// A line as it is written in [`LINES`].
fn line(text: &str) -> Request {
    let (line, block) = match text.split_once('⏎') {
        Some((line, block)) => (line, Some(block.into())),
        None => (text, None),
    };
    let key = |word: &str| match word {
        "A" => Some(b"a".to_vec()),
        "B" => Some(b"b".to_vec()),
        _ => None,
    };
    let words: Vec<&str> = line.split(' ').collect();
    let encoded = line.starts_with("m") && words.contains(&"b");
    let about = words.iter().find_map(|word| key(word)).unwrap_or_default();
    let words = words.into_iter().map(|word| match (key(word), word) {
        (Some(key), _) if encoded => Word::Encoded(key),
        (Some(key), _) => Word::Key(key),
        (None, "{u}") => Word::Unique("", about.clone(), 0),
        (None, "C{u}") => Word::Unique("C", about.clone(), 0),
        (None, word) => Word::text(word),
    });
    Request::Line(words.collect(), block)
}
