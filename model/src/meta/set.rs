//! ms. Law: `spec/meta/set.md`.

use crate::dispatch::{Answer, unknown};
use crate::framing::Line;
use crate::ruling::Ruling;
use crate::{Model, Time};

/// A meta set whose data block is to come.
#[derive(Clone, Debug)]
pub(crate) struct MetaSet {
    pub(crate) length: usize,
}

impl MetaSet {
    pub(crate) fn finish(self, _model: &mut Model, _block: &[u8], _now: Time) -> Ruling {
        unreachable!("no meta set is begun yet")
    }
}

pub(crate) fn line(_model: &mut Model, line: &Line, _now: Time) -> Answer {
    unknown(line).into()
}
