//! The meta commands over TCP, as transcripts.

use crate::common::Server;

#[test]
fn a_get_shows_what_its_flags_ask_for_in_their_order() {
    transcript!(Server::start("").play(
        "mg k v
         mg k k O1 q
         mg k k O1
         ms k 3 F5 T100 c k O2 s ⏎ one
         mg k
         mg k v k f s t c h O3
         mg k h l
         mg k h u
         mg k t T30
         mg k T-1 t
         mg k"
    ));
}

#[test]
fn one_client_wins_the_right_to_recache() {
    transcript!(Server::start("").play(
        "mg k N30 v t
         mg k v
         ms k 1 T30 ⏎ a
         mg k v R20
         mg k v R31
         mg k v R31
         md k I T30
         mg k v c
         mg k v
         ms k 1 I C1 ⏎ b
         mg k v
         mg k v"
    ));
}

#[test]
fn a_set_stores_under_every_mode() {
    transcript!(Server::start("").play(
        "ms k 1 ME ⏎ a
         ms k 1 ME ⏎ b
         ms missing 1 MR ⏎ b
         ms missing 1 MA ⏎ b
         ms k 1 MA s ⏎ b
         ms k 1 MP s ⏎ c
         ms new 1 MA N30 F7 ⏎ x
         mg k v
         mg new v f t
         ms k 1 C99 c ⏎ z
         ms missing 1 C99 c ⏎ z
         ms k 1 E500 c ⏎ z
         ms k 1 C500 q ⏎ y
         ms k 1 C500 q ⏎ y"
    ));
}

#[test]
fn items_are_deleted_emptied_and_counted_with() {
    transcript!(Server::start("").play(
        "md k
         ms k 1 F9 T30 E5 ⏎ a
         md k C4
         md k x
         mg k v f t c
         md k q
         md k q
         ma n
         ma n N0 J13 v
         ma n v D5
         ma n v MD D20 c t
         ma n q
         ms n 1 ⏎ x
         ma n"
    ));
}

#[test]
fn keys_may_come_in_base64() {
    transcript!(Server::start("").play(
        "ms Zm9v 3 b k ⏎ one
         get foo
         mg Zm9v b v k
         mg foo k
         me foo
         me Zm9v b
         mg Zm9 b
         mg Zm9=v b
         md Zm9v b k O9"
    ));
}

#[test]
fn a_bad_meta_line_has_one_reply_and_the_stream_stays_in_step() {
    let long = "k".repeat(251);
    transcript!(Server::start("").play(&format!(
        "mg
         mg {long}
         mg k !
         mg k y
         mg k v v
         mg k T
         mg k Tx
         mg k Oaaaaaaaaaabbbbbbbbbbccccccccccdd
         mg k Oaaaaaaaaaabbbbbbbbbbccccccccccddd
         mg k a b c d e f g h i j k l m n o p q r s t
         ms k
         ms k abc
         ms k 1 MZ ⏎ a
         ms k 1 Fx ⏎ a
         ms k 1 ! ⏎ a
         ms k 1 ⏎ ab
         ma k Dx
         ma k Jx
         ma k MX
         me
         mx"
    )));
}
