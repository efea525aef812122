//! Writes an exchange as the notation has it, the inverse of reading one.
//!
//! Its steps are kept as they were written, so that nothing is said in other words.

use core::fmt::{Display, Formatter, Result};

use super::{Exchange, Header, Protocol};
use crate::Kind;

/// As a case of a case file.
impl Display for Exchange {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let marker = match self.requirement.kind {
            Kind::Rule => 'r',
            Kind::Alternative => 'a',
            Kind::Deviation => 'd',
        };
        writeln!(f, "{marker}[{}]{}", self.requirement.name, self.header)?;
        self.steps
            .iter()
            .try_for_each(|step| writeln!(f, "{}", step.text))
    }
}

/// The words behind the opening, each with a space before it.
impl Display for Header {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.options.is_empty() {
            write!(f, " options=\"{}\"", self.options)?;
        }
        if !self.dialects.is_empty() {
            write!(f, " dialect={}", self.dialects.join(","))?;
        }
        if self.exclusive {
            write!(f, " exclusive")?;
        }
        if !self.fence {
            write!(f, " fence=none")?;
        }
        if self.exact_writes {
            write!(f, " writes=exact")?;
        }
        if !self.users.is_empty() {
            write!(f, " users=\"{}\"", self.users.join(","))?;
        }
        for (place, protocol) in self.protocols.iter().enumerate() {
            let before = if place == 0 { " protocol=" } else { "," };
            write!(f, "{before}{protocol}")?;
        }
        Ok(())
    }
}

impl Display for Protocol {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Protocol::Text => "text",
            Protocol::Binary => "binary",
            Protocol::Udp => "udp",
        })
    }
}
