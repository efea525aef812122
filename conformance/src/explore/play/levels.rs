//! Many sequences at once, level by level: the first write of each, a fence, the second of each,
//! and so on.
//!
//! Each sequence has keys and a world of its own, so that nothing of one shows in another unless
//! the server mixes them up. No moment of a clock is guessed here: who is told that not all was
//! answered as it is ruled plays the sequences one after the other.

use std::collections::BTreeMap;

use model::{Ruling, Time};

use super::settle::{Agreed, Heard, Ruled, World, all_renewed, heard};
use super::{Difference, Player, fence, first_write, own, written};
use crate::explore::history::{Ask, Step};
use crate::explore::uniques::{Pair, Uniques};

/// A sequence under way, and all that is known of its keys.
struct Lane<'a> {
    rest: &'a [Step],
    prefix: &'a [u8],
    worlds: Vec<World>,
    uniques: Uniques,
}

/// What a client sends at one level: a part for each of some lanes, and a fence.
#[derive(Default)]
struct Level {
    sent: Vec<u8>,
    parts: Vec<Part>,
}

/// What one lane adds to it.
struct Part {
    lane: usize,
    told: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

impl Player {
    /// Plays them all, each on keys that begin with its name, which nobody had. No time passes in
    /// them, and nothing concerns all items.
    ///
    /// # Errors
    /// Which of them is not answered as it is ruled, and where.
    pub fn levels(&mut self, sequences: &[(String, Vec<Step>)]) -> Result<(), (usize, Difference)> {
        let new: Vec<World> = self.worlds.first().cloned().into_iter().collect();
        // The fence of a client is a lane as well.
        let fences = [(String::new(), Vec::new())];
        let mut lanes: Vec<Lane<'_>> = sequences
            .iter()
            .chain(&fences)
            .map(|(name, steps)| Lane {
                rest: steps,
                prefix: name.as_bytes(),
                worlds: new.clone(),
                uniques: Uniques::default(),
            })
            .collect();
        loop {
            let now = self.server.peer().now();
            let levels = gather(&mut lanes, now);
            if levels.is_empty() {
                return Ok(());
            }
            for (client, level) in &levels {
                self.server.peer().send(*client, &level.sent);
            }
            for (client, level) in levels {
                self.hear(client, &level.parts, &mut lanes, now)?;
            }
        }
    }

    /// Reads what a client is told, and holds each part of it against the lane that it belongs to.
    fn hear(
        &mut self,
        client: u8,
        parts: &[Part],
        lanes: &mut [Lane<'_>],
        now: u64,
    ) -> Result<(), (usize, Difference)> {
        for part in parts {
            let Some(lane) = lanes.get_mut(part.lane) else {
                continue;
            };
            let worlds = std::mem::take(&mut lane.worlds).into_iter();
            let rule = |world: World| world.rule(client, &part.told, Time(now));
            let after: Vec<Ruled> = worlds.map(rule).collect();
            self.cite(&after);
            let heard = loop {
                let unread = &self.unread.entry(client).or_default();
                let hear = |(_, rulings): &Ruled| heard(rulings, unread, &part.keys, &lane.uniques);
                let heard: Vec<Heard> = after.iter().map(hear).collect();
                if heard.iter().any(|heard| matches!(heard, Heard::Alike(..))) {
                    break heard;
                }
                let waits = heard.iter().any(|heard| matches!(heard, Heard::InPart));
                if !waits || !self.read(client) {
                    return Err((part.lane, self.part(client, &after, &heard)));
                }
            };
            let Agreed {
                worlds,
                shown,
                rulings,
                length,
            } = Agreed::of(after, heard);
            lane.worlds = worlds;
            lane.uniques.learn(shown);
            if self.server.is_real() {
                let renewed = all_renewed(&lane.worlds, &part.keys, &rulings, now);
                lane.worlds.extend(renewed);
            }
            self.unread.entry(client).or_default().drain(..length);
            if rulings.iter().any(Ruling::closes) {
                return Err((part.lane, self.differ(client, &rulings, 0)));
            }
        }
        match self.unread.get(&client).is_none_or(Vec::is_empty) {
            true => Ok(()),
            false => Err((0, self.differ(client, &[], 0))),
        }
    }
}

impl Lane<'_> {
    fn part(&self, at: usize, asks: &[&Ask], now: u64) -> Part {
        let told = written(asks, self.prefix, now, &self.uniques, |pair: &Pair| {
            pair.ruled
        });
        let keys = asks.iter().map(|ask| own(self.prefix, ask.request.key()));
        Part {
            lane: at,
            told: told.concat(),
            keys: keys.collect(),
        }
    }
}

/// The next write of every lane, by the client that sends it, with a fence behind each.
fn gather(lanes: &mut [Lane<'_>], now: u64) -> BTreeMap<u8, Level> {
    let mut levels: BTreeMap<u8, Level> = BTreeMap::new();
    for (at, lane) in lanes.iter_mut().enumerate() {
        let Some((first, asks, behind)) = first_write(lane.rest) else {
            continue;
        };
        lane.rest = behind;
        let level = levels.entry(first.client).or_default();
        let seen = written(&asks, lane.prefix, now, &lane.uniques, |pair| pair.seen);
        level.sent.extend(seen.concat());
        level.parts.push(lane.part(at, &asks, now));
    }
    let last = lanes.len().saturating_sub(1);
    if let Some(lane) = lanes.get(last) {
        for (client, level) in &mut levels {
            let fence = Ask::plain(*client, fence(*client));
            let part = lane.part(last, &[&fence], now);
            level.sent.extend(&part.told);
            level.parts.push(part);
        }
    }
    levels
}
