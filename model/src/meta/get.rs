//! The meta get. Law: `spec/meta/get.md`.
//!
//! Flags act from left to right: each sees what those before it have changed. It never decides what
//! the marks of an item mean to a client; it only shows and moves them.

use spec::{Requirement, req};

use super::fields::Fields;
use super::flags::{Flag, Flags};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::reply::Code;
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

/// `mg <key> <flags>*`
pub(crate) fn mg(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let flags = match Flags::parse(line, 2, &model.dialect) {
        Ok(flags) => flags,
        Err(fault) => return fault,
    };
    let fault = flags.opaque_fault(&model.dialect);
    let late = req!("meta.flags.faults.change-nothing.late-opaque");
    match fault {
        None => get(model, &flags, now),
        Some(fault) if model.dialect.has(late) => {
            act_before_opaque(model, &flags, now);
            fault.also(late)
        }
        Some(fault) => fault.also(req!("meta.flags.faults.change-nothing")),
    }
}

fn get(model: &mut Model, flags: &Flags, now: Time) -> Ruling {
    let makes = makes_item(model, flags);
    let (item, absence) = match model.lookup(&flags.key, now) {
        Ok(item) => (core::mem::take(item), None),
        Err(absence) if makes => (stub(model, flags, now), Some(absence)),
        Err(absence) => {
            let refused = flags.has(b'N').then_some(req!("memory.refuse.made"));
            return miss(model, flags).also(absence.rule()).also(refused);
        }
    };
    let mut visit = Visit::new(model, flags, now, item, absence.is_some());
    flags.iter().for_each(|flag| visit.obey(flag));
    visit.mark();
    visit.bump();
    let Visit { item, fields, .. } = visit;
    let ruling = match wanted(model, &item, flags) {
        (true, rule) => fields.valued(item.value.clone(), rule),
        (false, rule) => fields.coded(Code::Hd, rule),
    };
    model.items.insert(flags.key.clone(), item);
    count_hit(model, flags);
    ruling
        .also(absence.and_then(|_| chosen_zero(model, flags)))
        .also(absence.and_then(|absence| absence.rule()))
        .also(flags.has(b'C').then_some(req!("meta.get.unless.others")))
        .also(flags.has(b'q').then_some(req!("meta.get.quiet.hit")))
        .also(req!("meta.get.shared"))
}

fn miss(model: &mut Model, flags: &Flags) -> Ruling {
    count(&mut model.counters.cmd_get);
    count(&mut model.counters.get_misses);
    let touched = flags.has(b'T').then_some(req!("meta.get.touch.miss"));
    flags
        .echoes()
        .coded(Code::En, req!("meta.get.miss"))
        .also(touched)
        .silent_if(flags.has(b'q'), req!("meta.get.quiet.miss"))
}

/// Whether a miss becomes an item: `N` asks for it, and there is room.
fn makes_item(model: &Model, flags: &Flags) -> bool {
    flags.has(b'N') && model.has_room_for(&flags.key, 0, 0)
}

/// The empty item that `N` makes of a miss.
fn stub(model: &mut Model, flags: &Flags, now: Time) -> Item {
    count(&mut model.counters.total_items);
    let raw = model.dialect.has(req!("meta.get.vivify.base64.raw"));
    let unique = match flags.number(b'E') {
        Some(0) if takes_zero(model) => 0,
        asked => model.unique(asked),
    };
    Item {
        unique,
        base64: flags.has(b'b') && !raw,
        stored: now,
        accessed: now,
        ..Item::default()
    }
}

/// What `E0` means for an item that is made.
fn chosen_zero(model: &Model, flags: &Flags) -> Option<&'static Requirement> {
    let asked = flags.number(b'E') == Some(0);
    asked.then_some(if takes_zero(model) {
        req!("meta.get.vivify.unique.zero.taken")
    } else {
        req!("meta.get.vivify.unique.zero")
    })
}

fn takes_zero(model: &Model) -> bool {
    let taken = req!("meta.get.vivify.unique.zero.taken");
    model.options.cas && model.dialect.has(taken)
}

/// Whether the value is sent, and the rule.
fn wanted(model: &Model, item: &Item, flags: &Flags) -> (bool, &'static Requirement) {
    let ignored = req!("meta.get.unless.match.ignored");
    match flags.number(b'C') {
        _ if !flags.has(b'v') => (false, req!("meta.get.hit")),
        None => (true, req!("meta.get.value")),
        Some(unique) if unique != item.unique => (true, req!("meta.get.unless.changed")),
        Some(_) if model.dialect.has(ignored) => (true, ignored),
        Some(_) => (false, req!("meta.get.unless.match")),
    }
}

/// A hit counts as a touch where it was one.
fn count_hit(model: &mut Model, flags: &Flags) {
    if flags.has(b'T') {
        count(&mut model.counters.cmd_touch);
        count(&mut model.counters.touch_hits);
    } else {
        count(&mut model.counters.cmd_get);
        count(&mut model.counters.get_hits);
    }
}

/// The deviation of finding a fault when some flags have acted: those that stand before it.
fn act_before_opaque(model: &mut Model, flags: &Flags, now: Time) {
    let makes = makes_item(model, flags);
    let (item, created) = match model.lookup(&flags.key, now) {
        Ok(item) => (core::mem::take(item), false),
        Err(_) if makes => (stub(model, flags, now), true),
        Err(_) => {
            miss(model, flags);
            return;
        }
    };
    let mut visit = Visit::new(model, flags, now, item, created);
    for flag in flags.iter().take_while(|flag| flag.letter != b'O') {
        visit.obey(flag);
    }
    if !b"NTRlh".iter().any(|letter| flags.has(*letter)) {
        visit.bump();
    }
    model.items.insert(flags.key.clone(), visit.item);
}

/// An item while the flags act on it.
struct Visit<'a> {
    flags: &'a Flags,
    now: Time,
    item: Item,
    created: bool,
    won: bool,
    fields: Fields,
    ttl_wraps: bool,
}

impl Visit<'_> {
    fn new<'a>(model: &Model, flags: &'a Flags, now: Time, item: Item, created: bool) -> Visit<'a> {
        Visit {
            flags,
            now,
            item,
            created,
            won: false,
            fields: Fields::default(),
            ttl_wraps: model.dialect.has(req!("meta.get.ttl.dead.wraps")),
        }
    }

    /// Lets one flag act, or show what it sees.
    fn obey(&mut self, flag: &Flag) {
        match flag.letter {
            b'T' => self.touch(),
            b'N' => self.vivify(),
            b'R' => self.recache(),
            b't' => self.show_ttl(),
            b'O' => self.fields.add_opaque(flag),
            b'k' => self.show_key(),
            letter => self.show(letter),
        }
    }

    fn touch(&mut self) {
        let deadline = self.deadline(b'T');
        self.item.expires = deadline.at;
        self.fields.cite(req!("meta.get.touch.sets"));
        self.fields.cite(req!("meta.get.order"));
        self.fields.cite(deadline.because);
        if deadline.has_passed(self.now) {
            self.fields.cite(req!("meta.get.touch.dead"));
        }
    }

    /// `N` matters only to the item that it made.
    fn vivify(&mut self) {
        if !self.created {
            return self.fields.cite(req!("meta.get.vivify.hit"));
        }
        let deadline = self.deadline(b'N');
        self.item.expires = deadline.at;
        self.won = true;
        self.fields.cite(req!("meta.get.vivify.win"));
        self.fields.cite(req!("meta.get.vivify.classic"));
        self.fields.cite(req!("meta.get.order"));
        self.fields.cite(deadline.because);
        if deadline.has_passed(self.now) {
            self.fields.cite(req!("meta.get.vivify.dead"));
        }
        if self.flags.has(b'b') {
            self.fields.cite(if self.item.base64 {
                req!("meta.get.vivify.base64")
            } else {
                req!("meta.get.vivify.base64.raw")
            });
        }
    }

    /// `R` wins when the item dies before the token would.
    fn recache(&mut self) {
        let token = self.deadline(b'R').at;
        let rule = match self.item.expires {
            None => req!("meta.get.recache.no-ttl"),
            Some(_) if self.item.won => req!("meta.get.recache.once"),
            expires if expires < token => {
                self.won = true;
                req!("meta.get.recache.win")
            }
            Some(_) => req!("meta.get.recache.not-yet"),
        };
        self.fields.cite(rule);
    }

    fn show(&mut self, letter: u8) {
        let (number, rule) = match letter {
            b'c' if self.created => (self.item.unique, req!("meta.get.vivify.gated")),
            b'c' => (self.item.unique, req!("meta.get.show.cas")),
            b'f' => (self.item.flags.into(), req!("meta.get.show.client-flags")),
            b's' => (self.item.value.len() as u64, req!("meta.get.show.size")),
            b'h' => {
                self.fields.cite(req!("meta.get.fetched.touched"));
                (self.item.fetched.into(), req!("meta.get.fetched.before"))
            }
            b'l' => {
                let idle = self.now.0.saturating_sub(self.item.accessed.0);
                (idle, req!("meta.get.show.last-access"))
            }
            b'E' => return self.fields.cite(req!("meta.get.vivify.unique")),
            b'D' | b'F' | b'I' | b'J' | b'M' | b'x' => {
                return self.fields.cite(req!("meta.flags.letters"));
            }
            _ => return,
        };
        self.fields.add_number(letter, number, rule);
    }

    fn show_ttl(&mut self) {
        let Some(expires) = self.item.expires else {
            let rule = req!("meta.get.show.unlimited");
            return self.fields.add(b't', b"-1", rule);
        };
        let left = expires.0.saturating_sub(self.now.0);
        if left == 0 && self.ttl_wraps {
            let wrapped = u32::MAX.into();
            return self
                .fields
                .add_number(b't', wrapped, req!("meta.get.ttl.dead.wraps"));
        }
        let rule = if left == 0 {
            req!("meta.get.ttl.dead")
        } else {
            req!("meta.get.show.ttl")
        };
        self.fields.add_number(b't', left, rule);
    }

    fn show_key(&mut self) {
        self.fields.add_key(&self.flags.key, self.item.base64);
        self.fields.cite(req!("meta.get.show.key"));
    }

    /// The marks of an item come last: it is being replaced, it is stale, you are to replace it.
    fn mark(&mut self) {
        if self.item.won {
            self.fields.add(b'Z', b"", req!("meta.get.marks.sent"));
        }
        if self.item.stale {
            self.mark_stale();
        }
        if self.won {
            self.fields.add(b'W', b"", req!("meta.get.marks.won"));
            self.item.won = true;
        }
    }

    /// The first to see a stale item wins it, for whatever else it came.
    fn mark_stale(&mut self) {
        self.fields.add(b'X', b"", req!("meta.get.stale.shown"));
        self.fields.cite(req!("meta.get.stale.win"));
        self.fields.cite(req!("meta.get.stale.classic"));
        self.fields.cite(req!("meta.get.marks.order"));
        if self.flags.has(b'u') {
            self.fields.cite(req!("meta.get.stale.unbumped"));
        }
        if self.flags.has(b'R') {
            self.fields.cite(req!("meta.get.stale.recache"));
        }
        self.won |= !self.item.won;
    }

    /// The item was read, unless the client says it was not.
    fn bump(&mut self) {
        if self.flags.has(b'u') {
            self.fields.cite(req!("meta.get.unbumped"));
        } else {
            self.item.fetched = true;
            self.item.accessed = self.now;
        }
    }

    fn deadline(&self, letter: u8) -> Deadline {
        Deadline::of(self.flags.exptime(letter).unwrap_or_default(), self.now)
    }
}
