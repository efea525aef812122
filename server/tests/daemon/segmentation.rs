//! However the input is cut, the output is the same: in this process, with the clock standing.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, BufMut};
use server::{Connection, Settings, Shared, Time};

const NOW: Time = Time::from_seconds(1_800_000_000);

/// Every kind of request, good and bad, with values that look like requests.
const CONVERSATION: &[u8] = b"set k 5 0 3\r\none\r\nget k\r\nset k 0 0 7\r\nget k\r\n\r\n\
    gets k missing\r\nappend k 0 0 1\r\n!\r\nset bad 0 0 2\r\nabcd\r\nset k x 0 3\r\nget\r\n\
    set k 0 0 -1\r\nincr n 1\r\nset n 0 0 2\r\n10\r\nincr n 5\r\ndecr n 100\r\ngat 10 n k\r\n\
    set n 0 0 1 noreply\r\n1\r\nincr n x\r\nincr n 1 noreply\r\ndelete n\r\ndelete n noreply\r\n\
    ms m 3 T30 c q\r\nabc\r\nms m 3 c k O1\r\nabc\r\nmg m v t f k q\r\nmg none v q\r\nmg none\r\n\
    ms m 2 MZ\r\nxy\r\nms m 2\r\nxyz\r\n\nma c N0 J5 v\r\nma c v D3\r\nmd c\r\nme m\r\nmn\r\n\
    ms Zm9v 3 b\r\nbar\r\nmg foo k v\r\nnonsense\r\n\r\nset big 0 0 2000000\r\n";

/// What the connection says when the conversation comes in these pieces.
fn said<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let settings = Settings::parse(Vec::<String>::new()).expect("good options");
    let shared = Arc::new(Shared::new(settings, NOW));
    let mut connection = Connection::new(shared);
    let mut output = Vec::new();
    for piece in pieces {
        connection.receive(piece, NOW);
        drain(&mut connection, &mut output);
    }
    output
}

fn drain(connection: &mut Connection, output: &mut Vec<u8>) {
    loop {
        let bytes = connection.transmit();
        if bytes.is_empty() {
            return;
        }
        output.extend_from_slice(&bytes);
    }
}

/// What the connection says when so many bytes come at a time, and go where it gives them room, and
/// when it is sent in pieces of that length.
fn said_where_there_is_room(mut input: &[u8], piece_len: usize) -> Vec<u8> {
    let settings = Settings::parse(["-I", "2m"]).expect("good options");
    let mut connection = Connection::new(Arc::new(Shared::new(settings, NOW)));
    let mut output = Vec::new();
    while !input.is_empty() {
        let room = connection.room().map(|room| room.remaining_mut());
        let len = piece_len.min(room.unwrap_or(usize::MAX)).min(input.len());
        let (piece, rest) = input.split_at(len);
        if let Some(mut room) = connection.room() {
            room.put_slice(piece);
            connection.arrived(len, NOW);
        } else {
            connection.receive(piece, NOW);
        }
        input = rest;
        loop {
            connection.prepare();
            let mut pieces = [IoSlice::new(&[]); 3];
            let count = connection.output().chunks_vectored(&mut pieces);
            let before = output.len();
            let sent = pieces.iter().take(count).flat_map(|piece| piece.iter());
            output.extend(sent.take(piece_len));
            let sent = output.len() - before;
            if sent == 0 {
                break;
            }
            connection.sent(sent);
            connection.receive(&[], NOW);
        }
    }
    output
}

/// Large values of all kinds; none of their parts is like another.
fn large_values() -> Vec<u8> {
    let value: Vec<u8> = (0_u32..75_000).flat_map(u32::to_le_bytes).collect();
    let mut input = Vec::new();
    for line in [
        "set k 5 0 300000",
        "append k 0 0 300000",
        "ms k 300000 MP",
        "set bad 0 0 299999",
    ] {
        input.extend_from_slice(format!("{line}\r\n").as_bytes());
        input.extend_from_slice(&value);
        input.extend_from_slice(b"\r\nget k\r\nmg k v s\r\nmn\r\n");
    }
    input
}

#[test]
fn large_values_are_read_where_they_are_to_lie_and_sent_from_there() {
    let input = large_values();
    let whole = said([input.as_slice()]);
    assert!(whole.len() > 4_000_000);
    for piece_len in [977, 16 * 1024, 70_000, 10_000_000] {
        assert!(
            said_where_there_is_room(&input, piece_len) == whole,
            "{piece_len}"
        );
    }
}

#[test]
fn a_conversation_reads_the_same_cut_in_two_anywhere() {
    let whole = said([CONVERSATION]);
    for cut in 0..=CONVERSATION.len() {
        let (first, second) = CONVERSATION.split_at(cut);
        assert_eq!(said([first, second]), whole, "cut at {cut}");
    }
}

#[test]
fn a_conversation_reads_the_same_byte_by_byte() {
    assert_eq!(said(CONVERSATION.chunks(1)), said([CONVERSATION]));
}

#[test]
fn a_retrieval_larger_than_the_output_may_be_is_answered_whole() {
    let value = vec![b'x'; 100_000];
    let mut input = b"set k 0 0 100000\r\n".to_vec();
    input.extend_from_slice(&value);
    input.extend_from_slice(b"\r\nget k k k k none k\r\nmn\r\n");
    let mut expected = b"STORED\r\n".to_vec();
    for _ in 0..5 {
        expected.extend_from_slice(b"VALUE k 0 100000\r\n");
        expected.extend_from_slice(&value);
        expected.extend_from_slice(b"\r\n");
    }
    expected.extend_from_slice(b"END\r\nMN\r\n");
    assert!(said([input.as_slice()]) == expected);
    assert!(said(input.chunks(7)) == expected);
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let settings = Settings::parse(Vec::<String>::new()).expect("no options are good options");
    let shared = Arc::new(Shared::new(settings, NOW));
    let mut connection = Connection::new(Arc::clone(&shared));
    let mut set = b"set k 0 0 500000\r\n".to_vec();
    set.extend_from_slice(&vec![b'x'; 500_000]);
    set.extend_from_slice(b"\r\n");
    connection.receive(&set, NOW);
    for _ in 0..10 {
        connection.receive(b"get k k k k k k k k k k\r\n", NOW);
    }
    assert!(!connection.wants_input());
    let looked_up = shared.ledger.total(server::counters::Counter::CmdGet);
    assert_eq!(looked_up, 1, "one value is more than may wait");
}

#[test]
fn half_a_request_is_not_executed_when_the_client_has_finished() {
    let settings = Settings::parse(Vec::<String>::new()).expect("no options are good options");
    let shared = Arc::new(Shared::new(settings, NOW));
    let mut connection = Connection::new(shared);
    connection.receive(b"get k\r\nset k 0 0 3\r\nab", NOW);
    connection.finish();
    let mut output = Vec::new();
    drain(&mut connection, &mut output);
    assert_eq!(output, b"END\r\n");
    assert!(connection.is_closed());
}
