//! The notation of exchanges: what it reads, what it refuses, and when a peer fails it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::collections::VecDeque;

use spec::exchange::{
    Action, Bindings, Frame, Match, Peer, Protocol, Received, Template, cases, examples, frames,
    replay,
};

/// A peer that says what it was told to say, whatever it hears; `None` is a close.
struct Scripted(VecDeque<Option<&'static [u8]>>);

impl Peer for Scripted {
    fn now(&mut self) -> u64 {
        1000
    }
    fn send(&mut self, _client: u8, _bytes: &[u8]) {}
    fn receive(&mut self, _client: u8, _hurry: bool) -> Received {
        match self.0.pop_front() {
            Some(Some(bytes)) => Received::Bytes(bytes.to_vec()),
            Some(None) => Received::Closed,
            None => Received::Nothing,
        }
    }
    fn half_close(&mut self, _client: u8) {}
    fn pass(&mut self, _seconds: u64) {}
}

/// Plays the steps against a peer that says this; whether they agree.
fn agrees(steps: &str, says: &[Option<&'static [u8]>]) -> bool {
    let text = format!("r[storage.cas.exists]\n{steps}");
    let exchanges = cases("test", &text).unwrap();
    let mut peer = Scripted(says.iter().copied().collect());
    replay(&exchanges[0], &mut peer).is_ok()
}

fn problem(steps: &str) -> String {
    cases("test", &format!("r[storage.cas.exists]\n{steps}"))
        .unwrap_err()
        .to_string()
}

fn rendered(text: &str) -> Vec<u8> {
    Template::parse(text)
        .unwrap()
        .render(&Bindings::from([("u".into(), b"7".into())]), 1000)
        .unwrap()
}

fn compared(text: &str, received: &[u8]) -> Match {
    Template::parse(text)
        .unwrap()
        .compare(received, &mut Bindings::new(), 1000)
}

const FENCED: Option<&[u8]> = Some(b"MN\r\n");

#[test]
fn a_line_is_sent_as_it_stands() {
    assert_eq!(rendered("get k"), b"get k");
    assert_eq!(rendered("set k 0 0 1 ⏎ a"), b"set k 0 0 1\r\na");
    assert_eq!(rendered("⏎⏎"), b"\r\n\r\n");
}

#[test]
fn escapes_stand_for_their_byte() {
    assert_eq!(rendered(r"\r\n\t\0\\\{\}\x41\xff"), b"\r\n\t\0\\{}A\xff");
}

#[test]
fn a_repetition_repeats() {
    assert_eq!(rendered("{k*3}"), b"kkk");
    assert_eq!(rendered(r"{ab\x20*2}"), b"ab ab ");
    assert_eq!(rendered("{k*0}"), b"");
}

#[test]
fn the_time_and_bound_names_are_filled_in() {
    assert_eq!(rendered("{now} {now+100} {now-1} {u}"), b"1000 1100 999 7");
}

#[test]
fn a_name_that_nothing_bound_cannot_be_sent() {
    assert!(
        Template::parse("{w}")
            .unwrap()
            .render(&Bindings::new(), 0)
            .is_err()
    );
}

#[test]
fn a_template_agrees_byte_for_byte() {
    assert_eq!(compared("STORED", b"STORED\r\n"), Match::Whole(6));
    assert_eq!(compared("STORED", b"STO"), Match::Part);
    assert_eq!(compared("STORED", b"STARED"), Match::No(2));
}

#[test]
fn digits_end_only_where_another_byte_follows() {
    assert_eq!(compared("{number}", b"12"), Match::Part);
    assert_eq!(compared("{number}", b"12\r"), Match::Whole(2));
    assert_eq!(compared("{number}", b"x"), Match::No(0));
    assert_eq!(compared("a {number} b", b"a 12 c"), Match::No(5));
}

#[test]
fn a_word_ends_at_a_space_or_at_the_line() {
    assert_eq!(compared("{word}", b"a"), Match::Part);
    assert_eq!(compared("{word} b", b"a.1 b\r\n"), Match::Whole(5));
    assert_eq!(compared("{word}", b"a\n"), Match::Whole(1));
    assert_eq!(compared("{word}", b" a"), Match::No(0));
    assert_eq!(compared("{word}", b"\r\n"), Match::No(0));
}

#[test]
fn any_ends_at_the_line() {
    assert_eq!(compared("{any}", b"a b\r\n"), Match::Whole(3));
    assert_eq!(compared("x{any}", b"x\r\n"), Match::Whole(1));
}

#[test]
fn a_unique_is_the_same_wherever_it_stands_again() {
    let steps = "< {unique u} {u}\n";
    assert!(agrees(steps, &[Some(b"12 12\r\n"), FENCED]));
    assert!(!agrees(steps, &[Some(b"12 13\r\n"), FENCED]));
    let rebound = "< {unique u}\n< {unique u}\n";
    assert!(agrees(rebound, &[Some(b"5\r\n5\r\n"), FENCED]));
    assert!(!agrees(rebound, &[Some(b"5\r\n6\r\n"), FENCED]));
}

#[test]
fn replies_may_come_in_pieces() {
    assert!(agrees(
        "< STORED\n",
        &[Some(b"STO"), Some(b"RED\r"), Some(b"\n"), FENCED]
    ));
}

#[test]
fn a_missing_a_wrong_and_a_second_reply_all_fail() {
    assert!(!agrees("< STORED\n", &[]));
    assert!(!agrees("< STORED\n", &[Some(b"EXISTS\r\n"), FENCED]));
    assert!(!agrees(
        "< STORED\n",
        &[Some(b"STORED\r\nSTORED\r\n"), FENCED]
    ));
    assert!(!agrees("< STORED\n", &[Some(b"STORED\r\n"), None]));
}

#[test]
fn a_later_line_is_found_behind_others() {
    let steps = "<* STAT b 2\n< END\n";
    assert!(agrees(
        steps,
        &[Some(b"STAT a 1\r\nSTAT b 2\r\nEND\r\n"), FENCED]
    ));
    assert!(agrees(
        steps,
        &[Some(b"STAT a 1\r\nST"), Some(b"AT b 2\r\nEND\r\n"), FENCED]
    ));
    assert!(!agrees(
        steps,
        &[Some(b"STAT a 1\r\nSTAT b 3\r\nEND\r\n"), FENCED]
    ));
}

#[test]
fn silence_is_nothing_but_the_reply_to_the_fence() {
    assert!(agrees("> x\n= silent\n", &[FENCED, FENCED]));
    assert!(!agrees(
        "> x\n= silent\n",
        &[Some(b"ERROR\r\nMN\r\n"), FENCED]
    ));
    assert!(!agrees(
        "> x\n= silent\n",
        &[Some(b"MN\r\nERROR\r\n"), FENCED]
    ));
}

#[test]
fn a_close_is_a_close_and_nothing_before_it() {
    assert!(agrees("= closed\n", &[None]));
    assert!(!agrees("= closed\n", &[Some(b"ERROR\r\n"), None]));
    assert!(!agrees("= closed\n", &[]));
}

#[test]
fn a_refusal_names_file_line_and_what_is_accepted() {
    assert!(problem("> get k\n? x").starts_with("test:3: `?` is no step"));
    assert!(problem("= gone").contains("`silent`, `closed` or `half-close`"));
    assert!(problem("~ soon").contains("`~ 3s`"));
    assert!(problem(r"> \q").contains(r"`\q` is no escape"));
    assert!(problem("> {").contains('}'));
    assert!(problem("> {k*x}").contains("how often"));
    assert_eq!(rendered("{ab*2097152}").len(), 4 << 20);
    assert!(problem("> {ab*2097153}").contains("longer than 4 MiB"));
    assert!(problem("\n").contains("there is nothing"));
    assert!(problem("< {No}").contains("no hole"));
    let unknown = cases("test", "r[nowhere.nothing]\n")
        .unwrap_err()
        .to_string();
    assert_eq!(unknown, "test:1: the law has no `nowhere.nothing`");
    assert!(
        cases("test", "r[storage.cas.exists] fast\n")
            .unwrap_err()
            .to_string()
            .contains("`fast`")
    );
    assert!(cases("test", "> get k\n").is_err());
}

#[test]
fn a_header_says_what_the_exchange_needs() {
    let text = "r[storage.cas.exists] options=\"-C -m 8\" dialect=law exclusive fence=none\n> mn\n";
    let header = cases("test", text).unwrap().remove(0).header;
    assert_eq!(header.options, "-C -m 8");
    assert!(header.exclusive && !header.fence);
    assert!(header.holds_for("law") && !header.holds_for("memcached-1.6.18"));
}

#[test]
fn what_is_written_is_read_again() {
    for exchange in examples().unwrap() {
        let written = exchange.to_string();
        let read = cases("written", &written).unwrap().remove(0);
        assert_eq!(read.header, exchange.header, "{written}");
        assert_eq!(read.requirement, exchange.requirement);
        let known = exchange.steps.iter().map(|step| &step.action);
        let found = read.steps.iter().map(|step| &step.action);
        assert!(found.eq(known), "{written}");
    }
}

#[test]
fn a_case_ends_at_an_empty_line_and_comments_are_no_steps() {
    let text = "# one\nr[storage.cas.exists]\n# two\n> mn\n< MN\n\nr[storage.cas.stored]\n2> mn\n";
    let cases = cases("test", text).unwrap();
    let steps: Vec<usize> = cases.iter().map(|case| case.steps.len()).collect();
    assert_eq!(steps, [2, 1]);
    assert_eq!(cases[1].steps[0].client, 2);
    assert_eq!(cases[1].requirement.name, "storage.cas.stored");
}

fn sent(text: &str) -> Vec<u8> {
    let bindings = Bindings::from([("u".into(), b"258".into())]);
    Frame::request(text)
        .unwrap()
        .render(&bindings, 1000)
        .unwrap()
}

fn expected(text: &str, received: &[u8]) -> Match {
    Frame::reply(text)
        .unwrap()
        .compare(received, &mut Bindings::new(), 1000)
}

fn refused(text: &str) -> String {
    Frame::request(text).unwrap_err()
}

/// `get`, extras 00000005, key `k`, value `ab`, opaque 7, cas 258.
const HIT: &[u8] = b"\x81\0\0\x01\x04\0\0\0\0\0\0\x07\0\0\0\x07\0\0\0\0\0\0\x01\x02\0\0\0\x05kab";
const NOOP: &[u8] = b"\x81\x0a\0\0\0\0\0\0\0\0\0\0FENC\0\0\0\0\0\0\0\0";

#[test]
fn a_frame_that_names_nothing_is_a_bare_header() {
    let bare = [&[0x80, 0x0a][..], &[0; 22]].concat();
    assert_eq!(sent("noop"), bare);
    assert_eq!(sent("0x0a"), bare);
}

#[test]
fn the_lengths_of_a_frame_are_those_of_what_is_there() {
    let frame = sent("set key=k flags=5 exptime={now+1} value=ab opaque=0x07 cas={u}");
    let header = b"\x80\x01\0\x01\x08\0\0\0\0\0\0\x0b\0\0\0\x07\0\0\0\0\0\0\x01\x02";
    let body = b"\0\0\0\x05\0\0\x03\xe9kab";
    assert_eq!(frame, [&header[..], body].concat());
}

#[test]
fn every_header_field_can_be_told_to_lie() {
    let fields = "magic=1 keylen=2 extlen=3 datatype=4 vbucket=5 bodylen=6 opaque=7 cas=8";
    let header = b"\x01\x7b\0\x02\x03\x04\0\x05\0\0\0\x06\0\0\0\x07\0\0\0\0\0\0\0\x08";
    assert_eq!(sent(&format!("0x7b {fields}")), header);
    assert_eq!(sent(&format!("0x7b {fields} key=abc"))[24..], *b"abc");
}

#[test]
fn numbers_stand_in_the_extras_in_their_order() {
    let frame = sent("incr key=n delta=1 initial=2 exptime=3");
    let extras = b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\x03";
    assert_eq!(frame[24..], [&extras[..], b"n"].concat());
    assert_eq!(
        sent("0x05 number=1 extras=ab key=c")[24..],
        *b"abc\0\0\0\0\0\0\0\x01"
    );
}

#[test]
fn a_field_may_hold_spaces_and_escapes() {
    assert_eq!(sent(r"get key=a b\x20value=\x00")[24..], *b"a b value=\0");
    assert_eq!(sent("get key=kval value=v")[24..], *b"kvalv");
}

#[test]
fn a_reply_is_compared_whole() {
    let length = HIT.len();
    let whole = "get flags=5 key=k value=ab opaque=7 cas=258";
    assert_eq!(expected(whole, HIT), Match::Whole(length));
    assert_eq!(expected(whole, &[HIT, NOOP].concat()), Match::Whole(length));
    assert_eq!(expected(whole, &HIT[..length - 1]), Match::Part);
    assert_eq!(expected(whole, &HIT[..10]), Match::Part);
    assert_eq!(expected(whole, b""), Match::Part);
    let differing = [
        ("getk flags=5 key=k value=ab opaque=7 cas=258", 1),
        ("get flags=5 value=ab opaque=7 cas=258", 2),
        ("get key=k value=ab opaque=7 cas=258", 4),
        ("get flags=5 exptime=0 key=k value=ab opaque=7 cas=258", 4),
        ("get flags=5 key=k value=ab opaque=7 cas=258 datatype=1", 5),
        ("get flags=5 key=k value=ab opaque=7 cas=258 status=1", 6),
        ("get flags=5 key=k opaque=7 cas=258", 8),
        ("get flags=5 key=k value=ab cas=258", 12),
        ("get flags=5 key=k value=ab opaque=7", 16),
        ("get flags=6 key=k value=ab opaque=7 cas=258", 24),
        ("get flags=5 key=j value=ab opaque=7 cas=258", 28),
        ("get flags=5 key=k value=ac opaque=7 cas=258", 30),
        ("get flags=5 key=k value=abc opaque=7 cas=258", 31),
        ("get flags=5 key=k value=a opaque=7 cas=258", 30),
    ];
    for (text, at) in differing {
        assert_eq!(expected(text, HIT), Match::No(at), "{text}");
    }
    assert_eq!(expected(whole, b"ERROR\r\n"), Match::No(0));
    assert_eq!(
        expected(whole, &[&[0x80], &HIT[1..]].concat()),
        Match::No(0)
    );
}

#[test]
fn a_frame_has_holes_like_a_line() {
    let holes = "get flags={number} key={any} value={any} opaque={number} cas={unique}";
    assert_eq!(expected(holes, HIT), Match::Whole(HIT.len()));
    let raw = r"get extras=\0\0\0\x05 key=k value=ab opaque={number n} cas={unique}";
    assert_eq!(expected(raw, HIT), Match::Whole(HIT.len()));
    assert_eq!(expected(&raw.replace("x05", "x06"), HIT), Match::No(27));
    let same = "get flags=5 key=k value=ab opaque={number n} cas={number n}";
    assert_eq!(expected(same, HIT), Match::No(16));
}

#[test]
fn one_client_may_speak_text_and_another_binary() {
    let steps = "< {unique u}\n2< get flags=5 key=k value=ab opaque=7 cas={u}\n";
    let text = |unique: &'static [u8]| {
        let exchange = format!("r[storage.cas.exists] protocol=text,binary\n{steps}");
        let exchange = cases("test", &exchange).unwrap().remove(0);
        assert_eq!(exchange.header.protocol(1), Protocol::Text);
        assert_eq!(exchange.header.protocol(2), Protocol::Binary);
        assert_eq!(exchange.header.protocol(3), Protocol::Binary);
        let says = [Some(unique), Some(HIT), Some(b"MN\r\n"), Some(NOOP)];
        replay(&exchange, &mut Scripted(says.into())).is_ok()
    };
    assert!(text(b"258\r\n"));
    assert!(!text(b"259\r\n"));
}

#[test]
fn users_whose_password_has_a_space_stand_in_quotes() {
    let text = "r[authentication.password] users=\"a:b,c:d e\" fence=none\n> noop\n";
    let exchange = cases("test", text).unwrap().remove(0);
    assert_eq!(exchange.header.users, ["a:b", "c:d e"]);
    assert!(!exchange.header.fence);
    assert!(cases("test", "r[authentication.password] users=\"a:b\n> noop\n").is_err());
}

#[test]
fn several_frames_may_go_out_in_one_write() {
    let text = "r[storage.cas.exists] protocol=binary users=a:b,c:d\n> noop ⏎ get key=k\n";
    let exchange = cases("test", text).unwrap().remove(0);
    assert_eq!(exchange.header.users, ["a:b", "c:d"]);
    let Action::Send(message) = &exchange.steps[0].action else {
        panic!("it sends");
    };
    let bytes = message.render(&Bindings::new(), 0).unwrap();
    assert_eq!(bytes, [sent("noop"), sent("get key=k")].concat());
}

#[test]
fn a_later_frame_is_found_behind_others() {
    let agrees = |says: &[Option<&'static [u8]>]| {
        let text = "r[storage.cas.exists] protocol=binary\n\
                    <* get flags=5 key=k value=ab opaque=7 cas=258\n";
        let exchange = cases("test", text).unwrap().remove(0);
        replay(&exchange, &mut Scripted(says.iter().copied().collect())).is_ok()
    };
    assert!(agrees(&[Some(NOOP), Some(HIT), Some(NOOP)]));
    assert!(agrees(&[
        Some(NOOP),
        Some(&HIT[..9]),
        Some(&HIT[9..]),
        Some(NOOP)
    ]));
    assert!(!agrees(&[Some(NOOP), Some(NOOP)]));
    assert!(!agrees(&[Some(HIT), Some(HIT)]));
}

#[test]
fn a_frame_that_says_nothing_the_grammar_has_is_refused() {
    assert!(refused("fetch key=k").contains("`fetch` is no opcode"));
    assert!(refused("get k").contains("`get k` is no opcode"));
    assert!(refused("get key=k key=l").contains("`key=` stands twice"));
    assert!(refused("get status=1").contains("no `status=`"));
    assert!(
        Frame::reply("get vbucket=1")
            .unwrap_err()
            .contains("no `vbucket=`")
    );
    assert!(refused("get opaque=4294967296").contains("no number that fits"));
    assert!(refused("get opaque=").contains("no number that fits"));
    assert!(refused("get opaque=0xg").contains("no number that fits"));
    assert!(refused("get keylen=65536").contains("no number that fits"));
    assert!(
        cases("test", "r[storage.cas.exists] protocol=morse\n")
            .unwrap_err()
            .to_string()
            .contains("`morse` is no protocol")
    );
}

#[test]
fn a_number_before_a_step_is_the_client() {
    let clients = |steps: &str| -> Vec<u8> {
        let text = format!("r[storage.cas.exists]\n{steps}");
        let exchange = cases("test", &text).unwrap().remove(0);
        exchange.steps.iter().map(|step| step.client).collect()
    };
    assert_eq!(
        clients("> mn\n2> mn\n10< MN\n255= silent\n"),
        [1, 2, 10, 255]
    );
    assert!(problem("0> mn").contains("1 to 255"));
    assert!(problem("256> mn").contains("1 to 255"));
}

#[test]
fn what_stands_among_a_list_may_stand_anywhere_in_it() {
    let steps = "> stats\n<+ STAT b 2\n<+ STAT a {number n}\n<* END\n< {n}";
    let says: [&[u8]; 4] = [
        b"STAT a 1\r\nSTAT b 2\r\nEND\r\n1\r\n",
        b"STAT b 2\r\nSTAT c 3\r\nSTAT a 1\r\nEND\r\n1\r\n",
        b"STAT a 1\r\nEND\r\n1\r\n",
        b"STAT a 1\r\nEND\r\nSTAT b 2\r\n1\r\n",
    ];
    let agree = says.map(|says| agrees(steps, &[Some(says), FENCED]));
    assert_eq!(agree, [true, true, false, false]);
}

#[test]
fn a_list_must_end_somewhere() {
    assert!(problem("> stats\n<+ STAT a 1").contains("where the list ends"));
    assert!(problem("> stats\n<+ STAT a 1\n< END").contains("where the list ends"));
    assert!(problem("> stats\n<+ STAT a 1\n2<* END").contains("test:3"));
}

#[test]
fn bytes_that_are_frames_are_shown_as_frames() {
    let two = [
        sent("set key=k extras=abcdefgh value=a opaque=7 cas=2 datatype=1 vbucket=3"),
        sent("0x50"),
    ];
    let text = "set datatype=1 vbucket=3 opaque=7 cas=2 extras=abcdefgh key=k value=a ⏎ 0x50";
    assert_eq!(frames(&two.concat()).as_deref(), Some(text));
    let hit = r"get opaque=7 cas=258 extras=\0\0\0\x05 key=k value=ab";
    assert_eq!(frames(HIT).as_deref(), Some(hit));
    assert_eq!(frames(&sent("noop magic=7")), None);
    assert_eq!(frames(&sent("get key=k keylen=2")), None);
    assert_eq!(frames(&sent("get key=k extlen=9")), None);
    assert_eq!(frames(&HIT[..30]), None);
    assert_eq!(frames(&[HIT, b"x"].concat()), None);
    assert_eq!(frames(b""), None);
    let miss = b"\x81\0\0\0\0\0\0\x01\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0none";
    assert_eq!(frames(miss).as_deref(), Some("get status=0x01 value=none"));
}
