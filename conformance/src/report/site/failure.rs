//! What did not go as written, on its rule's page: the shortest transcript, where it parts, and how
//! to see it again. Each has an address of its own.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use spec::{Kind, Requirement};

use super::data::{Tried, rule_of};
use super::frame::to_rule;
use super::prose::SENT;
use super::rule::last_word;
use crate::report::read::{Case, Failure};

/// So many bytes of a reply are shown as it is written.
const SHOWN_MAX: usize = 300;
/// So many other examples that fail are named.
const OTHERS_MAX: usize = 5;
/// So long is a script that is shown.
const SCRIPT_MAX: usize = 400;

/// The way from the root to what failed of this name.
pub(super) fn to_failure(tried: &Tried, named: &'static Requirement) -> String {
    format!("{}#{}", to_rule(rule_of(named).name), place(tried, named))
}

/// Its place on the page of its rule.
fn place(tried: &Tried, named: &Requirement) -> String {
    match named.kind {
        Kind::Rule => tried.slug.clone(),
        _ => format!("{}:{}", tried.slug, last_word(named)),
    }
}

/// What was shown on a page, and at which place of it: several often do exactly the same.
pub(super) type Shown = BTreeMap<String, (String, String)>;

/// What an implementation does with a rule, or a variant of one, where that is not as written.
pub(super) fn section(
    tried: &Tried,
    named: &'static Requirement,
    case: &Case,
    shown: &mut Shown,
) -> Markup {
    let all = tried.cases(named.name).count();
    let failed = tried.cases(named.name);
    let failed: Vec<&Case> = failed.filter(|case| case.mark().has_page()).collect();
    let others = failed.iter().filter(|other| other.case != case.case);
    let place = place(tried, named);
    let bytes = html! {
        @if let Some(failure) = &case.failure { (parted(failure)) }
        p.place { (case.case)
            @if all > 1 { "; " (failed.len()) " of " (all) " examples" }
            @for other in others.take(OTHERS_MAX) { " " (other.case) }
            @if failed.len() > OTHERS_MAX + 1 { " …" } }
    };
    let bytes = once(bytes, &place, &tried.name, shown);
    html! { section id=(place) {
        h3 { a href={ "../at/" (tried.slug) ".html" } { (tried.name) } " " (case.mark().shown())
            @if named.kind != Kind::Rule { " " code { (last_word(named)) } } }
        @if let Some(reason) = &case.reason { p { (reason) } }
        (bytes)
        @if let Some(failure) = &case.failure { @if !failure.again.is_empty() {
            pre.copy { (failure.again) }
        } }
    } }
}

/// The bytes, or the place on this page where the same stand already.
fn once(bytes: Markup, place: &str, name: &str, shown: &mut Shown) -> Markup {
    let bytes = bytes.into_string();
    if let Some((at, whose)) = shown.get(&bytes) {
        return html! { p { "Byte for byte as " a href={ "#" (at) } { (whose) } "." } };
    }
    shown.insert(bytes.clone(), (place.to_owned(), name.to_owned()));
    PreEscaped(bytes)
}

/// What a shell sends to see it.
pub(super) fn script(case: &Case) -> Option<&str> {
    let script = case.failure.as_ref()?.script.as_deref();
    script.filter(|script| script.len() <= SCRIPT_MAX)
}

fn parted(failure: &Failure) -> Markup {
    let (expected, received) = difference(failure);
    let alone = failure.transcript.iter().all(|said| said.client == 1);
    html! {
        @if !failure.transcript.is_empty() { pre.x { @for said in &failure.transcript {
            @let client = if alone { String::new() } else { said.client.to_string() };
            @if said.sent { b { (client) (SENT) (said.bytes) } }
            @else { (client) "< " (said.bytes) }
            "\n"
        } } }
        dl { dt; "expected" dd; (expected) dt; "received" dd; (received) }
    }
}

/// What was expected and what came, with the bytes marked from which on they differ.
fn difference(failure: &Failure) -> (Markup, Markup) {
    let received = &failure.received;
    if received.is_empty() {
        return (
            html! { code { (failure.expected) } },
            html! { em { "nothing" } },
        );
    }
    let agreed = end_of(received, failure.agreed.unwrap_or(0));
    let (same, other) = received.split_at(agreed);
    let expected = match failure.expected.strip_prefix(same) {
        Some(rest) => html! { code { (same) mark { (rest) } } },
        None => html! { code { (failure.expected) } },
    };
    let cut = cut(other);
    let received = html! {
        code { (same) mark { (cut) } }
        @if other.len() > cut.len() { " … and " (other.len() - cut.len()) " letters more" }
        @if let Some(agreed) = failure.agreed.filter(|agreed| *agreed > 0) {
            small { "differs from byte " (agreed) }
        }
    };
    (expected, received)
}

/// As much of it as is shown, and no half of an escape.
fn cut(text: &str) -> &str {
    text.get(..SHOWN_MAX).map_or(text, |cut| {
        cut.rsplit_once('\\').map_or(cut, |(cut, _)| cut)
    })
}

/// Where the first bytes end, in a text in which some bytes are escapes.
fn end_of(escaped: &str, bytes: usize) -> usize {
    let mut end = 0;
    for _ in 0..bytes {
        let rest = escaped.get(end..).unwrap_or_default();
        end += match (rest.starts_with("\\x"), rest.starts_with('\\')) {
            (true, _) => 4,
            (false, true) => 2,
            (false, false) => rest.chars().next().map_or(0, char::len_utf8),
        };
    }
    if escaped.is_char_boundary(end) {
        end
    } else {
        escaped.len()
    }
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn an_escape_counts_as_the_byte_that_it_is() {
        assert_eq!(end_of(r"a\r\n\x00b", 0), 0);
        assert_eq!(end_of(r"a\r\n\x00b", 2), 3);
        assert_eq!(end_of(r"a\r\n\x00b", 4), 9);
        assert_eq!(end_of("a", 7), 1);
        assert_eq!(end_of("\\x", 1), 2);
    }
}
