//! Every sequence of a few commands out of a small alphabet.
//!
//! Each has keys of its own, and what it left behind is looked at before they are deleted. Many
//! are under way at once, level by level; those with a command that concerns all items are played
//! one after the other on another server. So only what a server keeps beside its items could pass
//! from one to the next. Nothing is left out of the bound that is named.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use super::history::{Ask, FIRST_BINARY, Frame, Request, Step, Word};
use super::make::Bounds;
use super::peer::Server;
use super::play::{Difference, Player};
use super::{Exploration, Failed, Found};
use crate::target::Target;

/// Longer sequences than that take days.
pub const DEPTH_MAX: u8 = 4;
/// A server serves so many sequences, and then another is started.
const SERVED_MAX: u64 = 20_000;
/// So many are under way at once.
const ABREAST: usize = 256;
/// A clock may tick while they are: so often they are tried again, when each of them alone is
/// answered as it is ruled.
const TRIES: u8 = 4;
/// Fewer than that are not parted any further: they are under way for hardly any time.
const FEW: usize = 8;

impl Exploration {
    /// Plays every sequence of up to so many commands, on each core a part of them, until the time
    /// is over or enough are answered otherwise.
    ///
    /// # Panics
    /// When a part of it panics.
    #[must_use]
    pub fn exhaust(&self, depth: u8) -> Found {
        let jobs = match self.target {
            Target::Foreign(_) => 1,
            _ => thread::available_parallelism().map_or(1, NonZero::get) as u64,
        };
        let (nth, of) = self.shard;
        let part = |job| Exploration {
            shard: (nth + of * job, of * jobs),
            histories_max: self.histories_max.div_ceil(jobs),
            ..self.clone()
        };
        let parts: Vec<Exploration> = (0..jobs).map(part).collect();
        let enough = AtomicBool::new(false);
        let mut all = Found {
            complete: true,
            ..Found::default()
        };
        thread::scope(|scope| {
            let enough = &enough;
            let threads: Vec<_> = parts
                .iter()
                .map(|part| scope.spawn(move || part.exhaust_part(depth, enough)))
                .collect();
            for thread in threads {
                all.absorb(thread.join().expect("no part panics"));
            }
        });
        all.failures.truncate(self.failures_max);
        all
    }

    /// Plays the sequences of one part, the shortest first.
    fn exhaust_part(&self, depth: u8, enough: &AtomicBool) -> Found {
        let out_of_time = self.clock(self.budget);
        let letters = alphabet(Server::bounds(&self.target));
        let (nth, of) = self.shard;
        let mut all = All::of(self);
        let of = usize::try_from(of).unwrap_or(usize::MAX);
        let mut numbers = (nth..count(letters.len(), depth)).step_by(of);
        let mut flow = ControlFlow::Continue(());
        let is_over = |all: &All<'_>| {
            all.begun() >= self.histories_max || out_of_time() || enough.load(Relaxed)
        };
        while flow.is_continue() && !is_over(&all) {
            let Some(number) = numbers.next() else {
                all.found.complete = true;
                break;
            };
            flow = all.one(number, sequence(&letters, number));
        }
        let all_played = flow.is_continue() && all.abreast().is_continue();
        all.found.complete &= all_played;
        enough.fetch_or(!all_played, Relaxed);
        all.found
    }
}

/// All sequences of a run, as far as they are played.
struct All<'a> {
    exploration: &'a Exploration,
    found: Found,
    /// Those that will be under way at once, by their numbers.
    waiting: Vec<(u64, Vec<Step>)>,
    crowd: Option<Served>,
    single: Option<Served>,
    /// The last that was played alone.
    before: Vec<Step>,
    /// How many were answered otherwise when they were.
    differing: u64,
    /// It tells apart the keys of those that are played at once again.
    turn: u8,
}

/// Who plays, and how many it has played.
type Served = (Player, u64);
/// Whether all that were under way at once were answered as ruled, or else which was not.
type Played = Result<(), Parted>;
/// Which of them was not, and how.
type Parted = (usize, Difference);

/// Where sequences are played.
#[derive(Clone, Copy)]
enum At {
    Crowd,
    Single,
}

impl<'a> All<'a> {
    fn of(exploration: &'a Exploration) -> All<'a> {
        All {
            exploration,
            found: Found::default(),
            waiting: Vec::new(),
            crowd: None,
            single: None,
            before: Vec::new(),
            differing: 0,
            turn: 0,
        }
    }

    fn begun(&self) -> u64 {
        self.found.histories + self.waiting.len() as u64
    }

    /// Plays this one, now or with others.
    fn one(&mut self, number: u64, sequence: Vec<Step>) -> ControlFlow<()> {
        let foreign = matches!(self.exploration.target, Target::Foreign(_));
        if foreign || sequence.iter().any(concerns_all) {
            self.found.alone += 1;
            self.count(&sequence);
            return self.alone(number, &sequence);
        }
        self.waiting.push((number, sequence));
        match self.waiting.len() < ABREAST {
            true => ControlFlow::Continue(()),
            false => self.abreast(),
        }
    }

    /// Plays those that wait, level by level. Where one is not answered as it is ruled, each is
    /// played alone; where none of them differs then, they must agree when they are played at once
    /// again: a clock may have ticked meanwhile.
    fn abreast(&mut self) -> ControlFlow<()> {
        let waiting = std::mem::take(&mut self.waiting);
        for (_, sequence) in &waiting {
            self.count(sequence);
        }
        let Err(parted) = self.at_once(&waiting)? else {
            return ControlFlow::Continue(());
        };
        let differing = self.differing;
        for (number, sequence) in &waiting {
            self.alone(*number, sequence)?;
        }
        if self.differing > differing {
            return ControlFlow::Continue(());
        }
        if let Some(failed) = self.doubted(&waiting, parted)? {
            self.found.add(failed);
        }
        match self.exploration.has_enough(&self.found) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Plays those again that differ when they are under way at once, and alone do not; at last
    /// fewer of them: the less time it takes, the rarer a clock ticks meanwhile.
    fn doubted(
        &mut self,
        all: &[(u64, Vec<Step>)],
        mut parted: Parted,
    ) -> ControlFlow<(), Option<Failed>> {
        for _ in 0..if self.exploration.target.is_real() {
            TRIES
        } else {
            0
        } {
            self.turn = self.turn.wrapping_add(1);
            match self.at_once(all)? {
                Ok(()) => return ControlFlow::Continue(None),
                Err(again) => parted = again,
            }
        }
        let (at, difference) = parted;
        if all.len() <= FEW || !self.exploration.target.is_real() {
            let differing = all.get(at).map(|(_, sequence)| sequence.as_slice());
            let failed = Failed::unreduced(differing.unwrap_or_default(), difference);
            return ControlFlow::Continue(Some(failed));
        }
        let (first, second) = all.split_at(all.len() / 2);
        for half in [first, second] {
            self.turn = self.turn.wrapping_add(1);
            if let Err(parted) = self.at_once(half)?
                && let Some(failed) = self.doubted(half, parted)?
            {
                return ControlFlow::Continue(Some(failed));
            }
        }
        ControlFlow::Continue(None)
    }

    /// Plays these at once, on keys that tell the turns apart.
    fn at_once(&mut self, all: &[(u64, Vec<Step>)]) -> ControlFlow<(), Played> {
        let (mut player, served) = self.player(At::Crowd)?;
        let turn = self.turn;
        let name =
            |(number, steps): &(u64, Vec<Step>)| (format!("{number:x}.{turn}-"), steps.clone());
        let named: Vec<(String, Vec<Step>)> = all.iter().map(name).collect();
        let played = player.levels(&named);
        self.found.reached.append(&mut player.rules);
        if played.is_ok() {
            self.crowd = Some((player, served + all.len() as u64));
        }
        ControlFlow::Continue(played)
    }

    /// Plays this one while nothing else is under way.
    fn alone(&mut self, number: u64, sequence: &[Step]) -> ControlFlow<()> {
        let (mut player, served) = self.player(At::Single)?;
        player.begin_anew(number);
        let difference = player.steps(sequence);
        self.found.reached.append(&mut player.rules);
        let before = std::mem::replace(&mut self.before, sequence.to_vec());
        let Some(difference) = difference else {
            self.single = Some((player, served + 1));
            return ControlFlow::Continue(());
        };
        self.differing += 1;
        let histories = [before, sequence.to_vec()];
        match self
            .exploration
            .is_enough(&mut self.found, &histories, difference)
        {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn count(&mut self, sequence: &[Step]) {
        self.found.histories += 1;
        self.found.requests += sequence.len() as u64;
    }

    /// Who plays there, and how many it has played; a new one where that is many.
    fn player(&mut self, at: At) -> ControlFlow<(), Served> {
        let there = match at {
            At::Crowd => self.crowd.take(),
            At::Single => self.single.take(),
        };
        let there = there.filter(|(_, served)| *served < SERVED_MAX).map(Ok);
        let new = || self.exploration.player(0).map(|player| (player, 0));
        match there.unwrap_or_else(new) {
            Ok(there) => ControlFlow::Continue(there),
            Err(problem) => {
                self.found.problem = Some(problem);
                ControlFlow::Break(())
            }
        }
    }
}

/// Whether it can be seen by whoever else is under way.
fn concerns_all(step: &Step) -> bool {
    match step {
        Step::Pass(_) => true,
        Step::Ask(ask) => matches!(&ask.request, Request::Line(words, _)
            if words.first() == Some(&Word::text("flush_all"))),
    }
}

/// How many sequences of up to so many of these letters there are.
fn count(letters: usize, depth: u8) -> u64 {
    let letters = letters as u64;
    let powers = (1..=u32::from(depth)).map(|power| letters.saturating_pow(power));
    powers.fold(0, u64::saturating_add)
}

/// The sequence of this number, a look at what it left, and the end of that.
fn sequence(letters: &[Step], number: u64) -> Vec<Step> {
    let many = letters.len().max(1);
    let (mut rest, mut depth, mut of_depth) = (number, 1_u8, many as u64);
    while rest >= of_depth {
        rest -= of_depth;
        of_depth = of_depth.saturating_mul(many as u64);
        depth += 1;
    }
    let mut steps = Vec::new();
    for _ in 0..depth {
        let letter = usize::try_from(rest % many as u64).unwrap_or(0);
        steps.extend(letters.get(letter).cloned());
        rest /= many as u64;
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
/// is the unique shown last of the key of the line. A unique that is written out is one that no
/// server has come to: which item of all has the fifth, a real one does not tell.
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
    "cas B 3 0 1 999999999⏎c",
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
