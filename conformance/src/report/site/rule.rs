//! A page for each rule: its sentence, what each implementation does with it down to the bytes, and
//! its examples.

use maud::{Markup, html};
use spec::exchange::Exchange;
use spec::{Dialect, Kind, Requirement};

use super::data::family;
use super::failure::{place, section};
use super::frame::{page as framed, root, to_chapter, to_rule};
use super::mark::Mark;
use super::prose::{dialogue, sentence};
use super::{Page, Site};

/// So many examples of the suite's own are shown; the others are named.
const CASES_MAX: usize = 2;

pub(super) fn page(site: &Site, rule: &'static Requirement) -> Page {
    let path = to_rule(rule.name);
    let root = root(&path);
    let chapter = format!("{root}{}#{}", to_chapter(rule.chapter), rule.name);
    let body = html! {
        p.crumbs { a href=(chapter) { (rule.chapter) } }
        h1 { code { (rule.name) } }
        p.lead { (level(rule)) " " (sentence(rule.sentence)) }
        p.place { "spec/" (rule.chapter) ".md:" (rule.line) (witness(rule)) }
        (verdicts(site, rule))
        (failures(site, rule))
        @for variant in family(rule).skip(1) { (variation(variant)) }
        (examples(site, rule))
    };
    framed(&path, rule.name, &body)
}

/// The level as a badge.
pub(super) fn level(rule: &Requirement) -> Markup {
    let word = rule.level.to_string();
    html! { b class={ "l " (word) } { (word) } }
}

/// How it is shown, where that is not by examples.
fn witness(rule: &Requirement) -> &'static str {
    match rule.witness {
        spec::Witness::Exchange => "",
        spec::Witness::History => " · judged over histories of many clients",
        spec::Witness::Process => " · checked on a running process",
    }
}

/// Who got which mark, a line for each mark; who differs has a place further down.
fn verdicts(site: &Site, rule: &'static Requirement) -> Markup {
    let of = |mark| {
        let own = site.tried.iter().map(|tried| (tried, tried.gravest(rule)));
        let own = own.filter(move |(_, (found, _))| *found == mark);
        own.map(|(tried, (_, named))| (tried, named))
            .collect::<Vec<_>>()
    };
    html! {
        @for mark in Mark::ALL {
            @let found = of(mark);
            @if !found.is_empty() { p.who { (mark.shown())
                @for (tried, named) in found { " · "
                    @if mark.has_page() { a href={ "#" (place(tried, named)) } { (tried.name) } }
                    @else { (tried.name) } } } }
        }
    }
}

/// Every failure of a rule or of a variant of it, one implementation after the other.
fn failures(site: &Site, rule: &'static Requirement) -> Markup {
    html! { @for tried in &site.tried { @for named in family(rule) { (section(tried, named)) } } }
}

/// The last part of its name.
pub(super) fn last_word(named: &Requirement) -> &str {
    named.name.rsplit('.').next().unwrap_or(named.name)
}

fn variation(variant: &'static Requirement) -> Markup {
    let what = match variant.kind {
        Kind::Deviation => "Deviation",
        _ => "Alternative",
    };
    let known = Dialect::shipped_names().into_iter().filter(|name| {
        let dialect = Dialect::shipped(name);
        dialect.is_some_and(|dialect| dialect.has(variant))
    });
    let known: Vec<&str> = known.collect();
    html! { section id=(variant.name) {
        h3 { (what) " " code { (last_word(variant)) } }
        p { (sentence(variant.sentence))
            @if !known.is_empty() { small { " (" (known.join(", ")) ")" } } }
    } }
}

fn examples(site: &Site, rule: &'static Requirement) -> Markup {
    let of = |exchange: &&Exchange| family(rule).any(|named| exchange.requirement == named);
    let (law, own): (Vec<&Exchange>, Vec<&Exchange>) = site
        .exchanges
        .iter()
        .filter(of)
        .partition(|exchange| exchange.file.starts_with("spec/"));
    let more = own.len().saturating_sub(CASES_MAX);
    html! { @if !(law.is_empty() && own.is_empty()) {
        h2 { "Examples" }
        @for exchange in law.iter().chain(own.iter().take(CASES_MAX)) { (example(exchange)) }
        @if more > 0 {
            p { "And in " code { (own.last().map_or("", |exchange| &exchange.file)) } " lines"
                @for exchange in own.iter().skip(CASES_MAX) { " " (exchange.line) } "." }
        }
    } }
}

fn example(exchange: &Exchange) -> Markup {
    let header = exchange.header.to_string();
    let steps = exchange.steps.iter().map(|step| step.text.as_str());
    html! {
        p.place { (exchange.file) ":" (exchange.line)
            @if exchange.requirement.kind != Kind::Rule { " · " (last_word(exchange.requirement)) }
            (header) }
        (dialogue(steps))
    }
}
