//! The fields of a meta reply: what its flags return, in the order they were sent.
//! Law: `spec/meta/flags.md`.
//!
//! It never looks for an item; whoever has one adds what it shows.

use alloc::string::ToString;
use alloc::vec::Vec;

use spec::{Requirement, req};

use super::base64;
use super::flags::Flag;
use crate::reply::{Code, Reply};
use crate::ruling::Ruling;

/// The fields so far, and the rules that put them there.
#[derive(Default)]
pub(crate) struct Fields {
    fields: Vec<Vec<u8>>,
    because: Vec<&'static Requirement>,
}

impl Fields {
    /// Adds a letter and its text, by this rule.
    pub(crate) fn add(&mut self, letter: u8, text: &[u8], rule: &'static Requirement) {
        self.fields.push([&[letter], text].concat());
        self.because.push(rule);
    }

    /// Adds a reason alone, for what shows in no field.
    pub(crate) fn cite(&mut self, rule: &'static Requirement) {
        self.because.push(rule);
    }

    /// Adds a letter and its number, by this rule.
    pub(crate) fn add_number(&mut self, letter: u8, number: u64, rule: &'static Requirement) {
        self.add(letter, number.to_string().as_bytes(), rule);
    }

    /// Flag `O`: the opaque, as it was sent.
    pub(crate) fn add_opaque(&mut self, opaque: &Flag) {
        self.add(b'O', opaque.text(), req!("meta.flags.opaque.echo"));
        match opaque.text().len() {
            0 => self.cite(req!("meta.flags.opaque.empty")),
            32 => self.cite(req!("meta.flags.opaque.length")),
            _ => {}
        }
    }

    /// Flag `k`: the key, or its base64 and a field that says so.
    pub(crate) fn add_key(&mut self, key: &[u8], base64: bool) {
        if base64 {
            self.add(b'k', &base64::encode(key), req!("meta.flags.key.echo"));
            self.add(b'b', b"", req!("meta.flags.base64.echo"));
        } else {
            self.add(b'k', key, req!("meta.flags.key.echo"));
        }
    }

    /// The reply with this code, by this rule.
    pub(crate) fn coded(self, code: Code, rule: &'static Requirement) -> Ruling {
        self.rule(|fields| Reply::Meta(code, fields), rule)
    }

    /// The reply with this value, by this rule.
    pub(crate) fn valued(self, value: Vec<u8>, rule: &'static Requirement) -> Ruling {
        self.rule(|fields| Reply::MetaValue(value, fields), rule)
    }

    fn rule(self, reply: impl FnOnce(Vec<Vec<u8>>) -> Reply, rule: &'static Requirement) -> Ruling {
        let several = self.fields.len() > 1;
        let mut ruling = reply(self.fields).because(rule);
        ruling.because.extend(self.because);
        ruling.also(several.then_some(req!("meta.flags.order")))
    }
}
