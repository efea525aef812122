//! Makes a failing history small: chunks of steps, pairs, single steps, and then what is in them.
//!
//! It tries in a fixed order and asks nobody but `fails`, so the same history becomes the same
//! small one. What is left is 1-minimal: without any one of its steps it does not fail, which the
//! last round has tried for each.

use super::history::{Ask, FIRST_BINARY, Frame, Request, Step, Word};

/// Pairs are tried where no more steps than these are left.
const PAIRS_MAX: usize = 12;

/// Whether a history fails.
type Fails<'a> = dyn FnMut(&[Step]) -> bool + 'a;

/// The history, as small as it can be made and still fail.
pub fn reduce(history: &[Step], fails: &mut Fails<'_>) -> Vec<Step> {
    let mut steps = history.to_vec();
    loop {
        let before = steps.clone();
        drop_chunks(&mut steps, fails);
        drop_pairs(&mut steps, fails);
        simplify(&mut steps, fails);
        if steps == before {
            return steps;
        }
    }
}

/// Whether it fails, and does not without any one of its steps.
pub fn is_minimal(steps: &[Step], fails: &mut Fails<'_>) -> bool {
    fails(steps) && (0..steps.len()).all(|at| !fails(&without(steps, &[at])))
}

fn drop_chunks(steps: &mut Vec<Step>, fails: &mut Fails<'_>) {
    let mut size = steps.len().next_power_of_two();
    while size > 0 {
        let mut from = 0;
        while from < steps.len() {
            let chunk: Vec<usize> = (from..steps.len().min(from + size)).collect();
            let shorter = without(steps, &chunk);
            if fails(&shorter) {
                *steps = shorter;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
}

/// Two that are needed only for each other.
fn drop_pairs(steps: &mut Vec<Step>, fails: &mut Fails<'_>) {
    let pairs = |length: usize| {
        (0..length).flat_map(move |first| (first + 1..length).map(move |second| [first, second]))
    };
    while steps.len() <= PAIRS_MAX {
        let mut shorter = pairs(steps.len()).map(|pair| without(steps, &pair));
        let Some(found) = shorter.find(|shorter| fails(shorter)) else {
            return;
        };
        *steps = found;
    }
}

fn without(steps: &[Step], dropped: &[usize]) -> Vec<Step> {
    let kept = steps.iter().enumerate();
    let kept = kept.filter(|(at, _)| !dropped.contains(at));
    kept.map(|(_, step)| step.clone()).collect()
}

/// Makes each step as plain as it can be.
fn simplify(steps: &mut Vec<Step>, fails: &mut Fails<'_>) {
    for at in 0..steps.len() {
        while let Some(found) = plainer(steps, at)
            .into_iter()
            .find(|plainer| fails(plainer))
        {
            *steps = found;
        }
    }
}

/// The history with this step a little plainer, in each way that makes it so.
fn plainer(steps: &[Step], at: usize) -> Vec<Vec<Step>> {
    let ways = match steps.get(at) {
        Some(Step::Pass(seconds)) => (1..*seconds).map(Step::Pass).collect(),
        Some(Step::Ask(ask)) => asks(ask).into_iter().map(Step::Ask).collect(),
        None => Vec::new(),
    };
    let with = |step| {
        let mut steps = steps.to_vec();
        if let Some(old) = steps.get_mut(at) {
            *old = step;
        }
        steps
    };
    ways.into_iter().map(with).collect()
}

/// Each is smaller than it by some measure, so that this ends.
fn asks(ask: &Ask) -> Vec<Ask> {
    let mut plainer = Vec::new();
    let first = if ask.client >= FIRST_BINARY {
        FIRST_BINARY
    } else {
        1
    };
    if ask.client != first {
        plainer.push(Ask {
            client: first,
            ..ask.clone()
        });
    }
    if ask.joined {
        plainer.push(Ask {
            joined: false,
            ..ask.clone()
        });
    }
    if ask.cut.is_some() {
        plainer.push(Ask {
            cut: None,
            ..ask.clone()
        });
    }
    let requests = match &ask.request {
        Request::Line(words, block) => lines(words, block.as_deref()),
        Request::Frame(frame) => frames(frame).into_iter().map(Request::Frame).collect(),
        Request::Bytes(_) => Vec::new(),
    };
    plainer.extend(requests.into_iter().map(|request| Ask {
        request,
        ..ask.clone()
    }));
    plainer
}

fn lines(words: &[Word], block: Option<&[u8]>) -> Vec<Request> {
    let owned = || block.map(<[u8]>::to_vec);
    let mut lines = Vec::new();
    for at in (1..words.len()).rev() {
        let mut fewer = words.to_vec();
        fewer.remove(at);
        lines.push(Request::Line(fewer, owned()));
        for word in words.get(at).map(plain).unwrap_or_default() {
            let mut plainer = words.to_vec();
            if let Some(old) = plainer.get_mut(at) {
                *old = word;
            }
            lines.push(Request::Line(plainer, owned()));
        }
    }
    let shorter = values(block.unwrap_or_default()).into_iter();
    lines.extend(shorter.map(|value| Request::Line(words.to_vec(), Some(value))));
    lines
}

/// Words that are plainer than this one.
fn plain(word: &Word) -> Vec<Word> {
    match word {
        Word::Key(key) if key != b"a" => vec![Word::Key(b"a".to_vec())],
        Word::Encoded(key) if key != b"a" => vec![Word::Encoded(b"a".to_vec())],
        Word::Date(letters, _) => vec![Word::text(format!("{letters}0"))],
        Word::Unique(letters, key, age) if *age > 0 => {
            vec![Word::Unique(letters, key.clone(), age - 1)]
        }
        Word::Unique(letters, key, 0) if key != b"a" => {
            vec![Word::Unique(letters, b"a".to_vec(), 0)]
        }
        Word::Text(text) if text.len() > 1 => {
            let number = text.iter().all(u8::is_ascii_digit);
            number.then(|| Word::text("0")).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn frames(frame: &Frame) -> Vec<Frame> {
    let with_value = |value| Frame {
        value,
        ..frame.clone()
    };
    let mut frames: Vec<Frame> = values(&frame.value).into_iter().map(with_value).collect();
    if frame.opaque != 0 {
        frames.push(Frame {
            opaque: 0,
            ..frame.clone()
        });
    }
    if frame.unique.is_some() {
        frames.push(Frame {
            unique: None,
            ..frame.clone()
        });
    }
    if frame.key.len() > 1 || frame.key > b"a".to_vec() {
        frames.push(Frame {
            key: b"a".to_vec(),
            ..frame.clone()
        });
    }
    if frame.extras.iter().any(|byte| *byte != 0) {
        frames.push(Frame {
            extras: vec![0; frame.extras.len()],
            ..frame.clone()
        });
    }
    frames
}

/// Shorter values.
fn values(value: &[u8]) -> Vec<Vec<u8>> {
    let half = value.get(..value.len() / 2).unwrap_or_default().to_vec();
    let less = value
        .split_last()
        .map_or(&[][..], |(_, less)| less)
        .to_vec();
    let mut shorter = vec![Vec::new(), half, less];
    shorter.retain(|shorter| shorter.len() < value.len());
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Step {
        let words = text.split(' ').map(Word::text).collect();
        Step::Ask(Ask::plain(2, Request::line(words)))
    }

    #[test]
    fn what_is_left_fails_and_nothing_of_it_can_go() {
        let history: Vec<Step> = ["set a", "get b", "incr a 123", "get a", "mn"]
            .map(ask)
            .to_vec();
        let begins = |step: &Step, verb: &str| match step {
            Step::Ask(ask) => matches!(&ask.request, Request::Line(words, _)
                if words.first() == Some(&Word::text(verb))),
            Step::Pass(_) => false,
        };
        let mut fails = |steps: &[Step]| {
            let at = |verb| steps.iter().position(|step| begins(step, verb));
            at("set")
                .zip(at("incr"))
                .is_some_and(|(set, incr)| set < incr)
        };
        let small = reduce(&history, &mut fails);
        assert_eq!(small.len(), 2);
        assert!(is_minimal(&small, &mut fails));
        assert!(!is_minimal(&history, &mut fails));
        let plain = |step: &Step| matches!(step, Step::Ask(ask) if ask.client == 1);
        assert!(small.iter().all(plain));
    }
}
