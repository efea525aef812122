//! A client that sends anything, whole and in pieces.

use model::{Model, Session, Time};

/// The time at which every fuzzed session plays.
const NOW: Time = Time(1_800_000_000);

/// Plays the input on a fresh model in one piece and cut at a place the input chooses.
///
/// # Panics
/// When the two differ, when a request is answered without a reason, or when the model panics.
pub fn session(input: &[u8]) {
    let Some((cut, stream)) = input.split_first() else {
        return;
    };
    let cut = usize::from(*cut).min(stream.len());
    let (before, after) = stream.split_at(cut);

    let (whole, at_once) = play(&[stream]);
    let (pieces, in_pieces) = play(&[before, after]);
    assert_eq!(
        at_once, in_pieces,
        "the replies depend on where the input was cut"
    );
    assert_eq!(whole, pieces, "the items depend on where the input was cut");
}

/// Plays pieces of one stream; what is left in the model, and what the client was sent.
fn play(pieces: &[&[u8]]) -> (Model, Vec<u8>) {
    let (mut model, mut session) = (Model::default(), Session::new());
    let mut sent = Vec::new();
    for piece in pieces {
        for ruling in session.receive(&mut model, piece, NOW) {
            assert!(!ruling.because.is_empty(), "a ruling without a reason");
            sent.extend_from_slice(ruling.bytes());
        }
    }
    (model, sent)
}
