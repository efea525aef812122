//! delete. Law: `spec/deletion.md`.

use crate::dispatch::unknown;
use crate::framing::Line;
use crate::ruling::Ruling;
use crate::{Model, Time};

pub(crate) fn delete(_model: &mut Model, line: &Line, _now: Time) -> Ruling {
    unknown(line)
}
