//! md. Law: `spec/meta/delete.md`.

use crate::dispatch::unknown;
use crate::framing::Line;
use crate::ruling::Ruling;
use crate::{Model, Time};

pub(crate) fn md(_model: &mut Model, line: &Line, _now: Time) -> Ruling {
    unknown(line)
}
