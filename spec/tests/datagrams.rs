//! The notation of datagrams: what stands behind `>` and `<` for a client over UDP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::collections::VecDeque;

use spec::exchange::{Action, Bindings, Exchange, Message, Peer, Received, cases, replay};

/// A peer that answers with these datagrams, whatever it is sent, and echoes the fence.
struct Scripted(VecDeque<Vec<u8>>);

impl Peer for Scripted {
    fn now(&mut self) -> u64 {
        0
    }

    fn send(&mut self, _client: u8, _bytes: &[u8]) {
        panic!("a client over UDP sends datagrams");
    }

    fn datagram(&mut self, _client: u8, bytes: &[u8]) {
        if bytes.ends_with(b"mn\r\n") {
            self.0.push_back([&bytes[..8], b"MN\r\n"].concat());
        }
    }

    fn receive(&mut self, _client: u8, _hurry: bool) -> Received {
        self.0
            .pop_front()
            .map_or(Received::Nothing, Received::Bytes)
    }

    fn half_close(&mut self, _client: u8) {}

    fn pass(&mut self, _seconds: u64) {}
}

fn exchange(steps: &str) -> Exchange {
    let text = format!("r[udp.response.header] protocol=udp\n{steps}\n");
    cases("test", &text)
        .expect("it is in the notation")
        .remove(0)
}

fn sent(step: &str) -> Vec<u8> {
    match &exchange(step).steps[0].action {
        Action::Send(message @ Message::Datagram(_)) => {
            message.render(&Bindings::new(), 0).unwrap()
        }
        other => panic!("{other:?} sends no datagram"),
    }
}

#[test]
fn a_datagram_begins_with_four_numbers() {
    assert_eq!(sent("> text=mn"), b"\0\0\0\0\0\x01\0\0mn\r\n");
    assert_eq!(
        sent("> id=258 seq=3 total=4 reserved=5 bytes=mn"),
        b"\x01\x02\0\x03\0\x04\0\x05mn"
    );
    assert_eq!(sent("> id=7"), b"\0\x07\0\0\0\x01\0\0");
    let noop = sent("> id=1 frames=noop ⏎ get key=k");
    assert_eq!(noop.len(), 8 + 24 + 25);
    assert_eq!(&noop[8..10], b"\x80\x0a");
}

#[test]
fn what_is_no_field_of_a_datagram_is_refused() {
    for steps in [
        "> id=65536 text=mn",
        "> id=x",
        "> key=k",
        "> mn",
        "> id=1 mn",
        "> frames=nothing",
        "<< MN",
    ] {
        let text = format!("r[udp.response.header] protocol=udp\n{steps}\n");
        assert!(cases("test", &text).is_err(), "{steps}");
    }
}

#[test]
fn a_datagram_is_compared_whole() {
    let reply = b"\0\x07\0\0\0\x01\0\0VALUE k 0 1\r\na\r\nEND\r\n".to_vec();
    let plays = |step: &str, replies: &[Vec<u8>]| {
        let mut peer = Scripted(replies.iter().cloned().collect());
        replay(&exchange(&format!("> id=7 text=get k\n{step}")), &mut peer)
    };
    let whole = "< id=7 text=VALUE k 0 1 ⏎ a ⏎ END";
    assert!(plays(whole, std::slice::from_ref(&reply)).is_ok());
    for wrong in [
        "< id=8 text=VALUE k 0 1 ⏎ a ⏎ END",
        "< id=7 total=2 text=VALUE k 0 1 ⏎ a ⏎ END",
        "< id=7 text=VALUE k 0 1 ⏎ a",
        "< id=7 text=VALUE k 0 1 ⏎ a ⏎ END ⏎ END",
        "< id=7 frames=noop",
        "= silent",
    ] {
        let failure = plays(wrong, std::slice::from_ref(&reply)).unwrap_err();
        assert!(failure.received.starts_with(&reply), "{wrong}");
    }
    // The borders count, not only the bytes.
    let (first, last) = reply.split_at(15);
    assert!(plays(whole, &[first.to_vec(), last.to_vec()]).is_err());
    assert!(plays(&format!("{whole}\n{whole}"), std::slice::from_ref(&reply)).is_err());
    let other = b"\0\x06\0\0\0\x01\0\0END\r\n".to_vec();
    let later = whole.replace('<', "<*");
    assert!(plays(&later, &[other, reply]).is_ok());
}

#[test]
fn frames_in_a_datagram_are_compared_as_frames() {
    let frame = b"\x81\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0";
    let reply = [b"\0\x01\0\0\0\x01\0\0".as_slice(), frame].concat();
    let plays = |step: &str, reply: &[u8]| {
        let mut peer = Scripted([reply.to_vec()].into());
        replay(&exchange(step), &mut peer).is_ok()
    };
    assert!(plays(
        "> id=1 frames=noop opaque=5\n< id=1 frames=noop opaque=5",
        &reply
    ));
    assert!(!plays(
        "> id=1 frames=noop\n< id=1 frames=noop opaque=6",
        &reply
    ));
    assert!(!plays(
        "> id=1 frames=noop\n< id=1 frames=noop opaque=5 ⏎ noop",
        &reply
    ));
    let cut = &reply[..reply.len() - 1];
    assert!(!plays(
        "> id=1 frames=noop\n< id=1 frames=noop opaque=5",
        cut
    ));
}
