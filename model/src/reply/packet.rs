//! A binary reply, and how it is printed and read.
//!
//! It never knows which request it answers, beyond the opcode and the opaque that it repeats.

use alloc::vec::Vec;

/// One binary reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// The opcode of the request.
    pub opcode: u8,
    /// 0 for success.
    pub status: u16,
    /// The opaque of the request.
    pub opaque: u32,
    /// The item's unique, or 0.
    pub unique: u64,
    /// The extras: of a fetched item, its flags.
    pub extras: Vec<u8>,
    /// The key, where it is shown.
    pub key: Vec<u8>,
    /// The value, or the text of an error.
    pub value: Vec<u8>,
}

const MAGIC: u8 = 0x81;

impl Packet {
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        let Packet {
            extras, key, value, ..
        } = self;
        let body = [extras.as_slice(), key, value].concat();
        let short = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        let [_, extras_length] = short(extras.len()).to_be_bytes();
        out.extend_from_slice(&[MAGIC, self.opcode]);
        out.extend_from_slice(&short(key.len()).to_be_bytes());
        out.extend_from_slice(&[extras_length, 0]);
        out.extend_from_slice(&self.status.to_be_bytes());
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.opaque.to_be_bytes());
        out.extend_from_slice(&self.unique.to_be_bytes());
        out.extend_from_slice(&body);
    }

    /// The packet that stands first in the bytes, which begin behind it then.
    pub(super) fn read(rest: &mut &[u8]) -> Option<Packet> {
        let [MAGIC, opcode] = take(rest)? else {
            return None;
        };
        let key_length = u16::from_be_bytes(take(rest)?);
        let [extras_length, 0] = take(rest)? else {
            return None;
        };
        let status = u16::from_be_bytes(take(rest)?);
        let length = usize::try_from(u32::from_be_bytes(take(rest)?)).ok()?;
        let opaque = u32::from_be_bytes(take(rest)?);
        let unique = u64::from_be_bytes(take(rest)?);
        let (body, behind) = rest.split_at_checked(length)?;
        let (extras, body) = body.split_at_checked(extras_length.into())?;
        let (key, value) = body.split_at_checked(key_length.into())?;
        *rest = behind;
        Some(Packet {
            opcode,
            status,
            opaque,
            unique,
            extras: extras.to_vec(),
            key: key.to_vec(),
            value: value.to_vec(),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}
