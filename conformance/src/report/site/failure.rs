//! A page for each failure: the shortest transcript, where it parts, and how to see it again.

use maud::{Markup, html};
use spec::Requirement;

use super::Page;
use super::data::{Tried, rule_of};
use super::frame::{page as framed, root, to_rule};
use super::prose::sentence;
use super::rule::level;
use crate::report::read::{Case, Failure};

/// So many bytes of a reply are shown as it is written.
const SHOWN_MAX: usize = 300;
/// So many other examples that fail are named.
const OTHERS_MAX: usize = 5;
/// So long is a script that is shown.
const SCRIPT_MAX: usize = 400;

/// One for each name of the law of which something did not go as written.
pub(super) fn pages(tried: &Tried) -> impl Iterator<Item = Page> {
    tried
        .failing()
        .filter_map(|named| Some(page(tried, named, tried.telling(named.name)?)))
}

fn page(tried: &Tried, named: &'static Requirement, case: &Case) -> Page {
    let path = format!("at/{}/{}.html", tried.slug, named.name);
    let root = root(&path);
    let others = tried
        .cases(named.name)
        .filter(|other| other.mark().has_page());
    let others: Vec<&Case> = others.filter(|other| other.case != case.case).collect();
    let body = html! {
        p.crumbs { a href={ "../" (tried.slug) ".html" } { (tried.name) } }
        h1 { a href={ (root) (to_rule(rule_of(named).name)) } { code { (named.name) } } }
        p.lead { (level(named)) " " (sentence(named.sentence)) }
        p { (case.mark().shown()) @if let Some(reason) = &case.reason { " " (reason) } }
        @if let Some(failure) = &case.failure { (parted(failure)) }
        p.place { (case.case) }
        @if !others.is_empty() {
            p.place { "Likewise: "
                @for other in others.iter().take(OTHERS_MAX) { (other.case) " " }
                @if others.len() > OTHERS_MAX { "and " (others.len() - OTHERS_MAX) " more" } }
        }
    };
    framed(&path, &format!("{} · {}", named.name, tried.name), &body)
}

fn parted(failure: &Failure) -> Markup {
    let (expected, received) = difference(failure);
    let alone = failure.transcript.iter().all(|said| said.client == 1);
    html! {
        @if !failure.transcript.is_empty() { pre.x { @for said in &failure.transcript {
            @let client = if alone { String::new() } else { said.client.to_string() };
            @if said.sent { b { (client) "> " (said.bytes) } } @else { (client) "< " (said.bytes) }
            "\n"
        } } }
        dl.diff {
            dt { "expected" } dd { (expected) }
            dt { "received" } dd { (received) }
        }
        @if !failure.again.is_empty() {
            h2 { "Again" }
            pre.copy { (failure.again) }
        }
        @if let Some(script) = failure.script.as_ref().filter(|it| it.len() <= SCRIPT_MAX) {
            h2 { "With nc" }
            pre.copy { (script) }
        }
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
        @if let Some(agreed) = failure.agreed { small { "differs from byte " (agreed) } }
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
