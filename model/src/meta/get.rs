//! mg. Law: `spec/meta/get.md`.

use crate::dispatch::unknown;
use crate::framing::Line;
use crate::ruling::Ruling;
use crate::{Model, Time};

pub(crate) fn mg(_model: &mut Model, line: &Line, _now: Time) -> Ruling {
    unknown(line)
}
