//! touch, gat and gats. Law: `spec/touch.md`.

use crate::dispatch::unknown;
use crate::framing::Line;
use crate::ruling::Ruling;
use crate::{Model, Time};

pub(crate) fn touch(_model: &mut Model, line: &Line, _now: Time) -> Ruling {
    unknown(line)
}
pub(crate) fn gat(_model: &mut Model, line: &Line, _now: Time) -> Ruling {
    unknown(line)
}
