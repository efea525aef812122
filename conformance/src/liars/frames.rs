//! Servers that understand a binary request, do it, and answer another frame.
//!
//! In text each of them tells the truth.

use model::{Packet, Reply, Ruling};
use spec::req;

use super::{Liar, Lie};

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "loses-opaque",
        does: "It answers every frame with the opaque 0.",
        caught_by: req!("binary.frames.opaque"),
        lie: Lie::Says(|_, ruling| each(ruling, |packet| packet.opaque = 0)),
    },
    Liar {
        name: "loses-opcode",
        does: "It answers a quiet frame under the opcode of its loud twin.",
        caught_by: req!("binary.frames.quiet-errors"),
        lie: Lie::Says(|_, ruling| {
            each(ruling, |packet| {
                if let 0x11..=0x14 = packet.opcode {
                    packet.opcode -= 0x10;
                }
            });
        }),
    },
    Liar {
        name: "loud-frames",
        does: "It answers quiet frames like loud ones.",
        caught_by: req!("binary.frames.quiet"),
        lie: Lie::Says(|_, ruling| ruling.silent &= !matches!(ruling.reply, Reply::Packets(_))),
    },
    Liar {
        name: "hushed-frames",
        does: "It keeps the errors of quiet frames to itself.",
        caught_by: req!("binary.frames.quiet-errors"),
        lie: Lie::Says(|_, ruling| {
            let mut failed = false;
            each(ruling, |packet| {
                failed |= packet.status != 0 && (0x11..=0x1a).contains(&packet.opcode);
            });
            ruling.silent |= failed;
        }),
    },
    Liar {
        name: "frames-without-unique",
        does: "It answers every frame with the unique 0.",
        caught_by: req!("binary.storage.unique"),
        lie: Lie::Says(|_, ruling| each(ruling, |packet| packet.unique = 0)),
    },
    Liar {
        name: "frames-succeed",
        does: "It answers every frame with the status 0.",
        caught_by: req!("binary.retrieval.miss"),
        lie: Lie::Says(|_, ruling| each(ruling, |packet| packet.status = 0)),
    },
    Liar {
        name: "mute-errors",
        does: "It gives no text with the status of an error.",
        caught_by: req!("binary.frames.error"),
        lie: Lie::Says(|_, ruling| {
            each(ruling, |packet| {
                if packet.status != 0 {
                    packet.value.clear();
                }
            });
        }),
    },
    Liar {
        name: "flagless-frames",
        does: "It leaves the flags out of the extras.",
        caught_by: req!("binary.retrieval.hit"),
        lie: Lie::Says(|_, ruling| each(ruling, |packet| packet.extras.clear())),
    },
    Liar {
        name: "keys-for-all",
        does: "It shows the key of every item that is found in a frame, or a made-up one.",
        caught_by: req!("binary.retrieval.hit"),
        lie: Lie::Says(|_, ruling| {
            each(ruling, |packet| {
                if !packet.extras.is_empty() && packet.key.is_empty() {
                    packet.key = b"key".into();
                }
            });
        }),
    },
    Liar {
        name: "endless-list",
        does: "It never ends a list of statistics in frames.",
        caught_by: req!("binary.statistics.list"),
        lie: Lie::Says(|_, ruling| {
            if let Reply::Packets(packets) = &mut ruling.reply
                && packets.len() > 1
            {
                packets.pop();
            }
        }),
    },
];

/// Changes each frame of the reply.
fn each(ruling: &mut Ruling, change: impl FnMut(&mut Packet)) {
    if let Reply::Packets(packets) = &mut ruling.reply {
        packets.iter_mut().for_each(change);
    }
}
