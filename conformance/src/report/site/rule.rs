//! A page for each rule: its sentence, what each implementation does with it down to the bytes, and
//! its examples.

use std::collections::BTreeSet;

use maud::{Markup, html};
use spec::exchange::Exchange;
use spec::{Dialect, Kind, Requirement};

use super::data::{Tried, family};
use super::failure::{Shown, script, section};
use super::frame::{page as framed, root, to_chapter, to_rule};
use super::mark::Mark;
use super::prose::{dialogue, sentence};
use super::{Page, Site, explored};
use crate::report::read::Case;

/// Up to so many examples the suite's own are shown beside the law's; the others are named.
const CASES_MAX: usize = 1;
/// So many for whom a rule holds are named beside those for whom it does not.
const NAMED_MAX: usize = 2;

pub(super) fn page(site: &Site, rule: &'static Requirement) -> Page {
    let path = to_rule(rule.name);
    let root = root(&path);
    let chapter = format!("{root}{}#{}", to_chapter(rule.chapter), rule.name);
    let body = html! {
        h1 { code { (rule.name) } }
        p.lead { (level(rule)) " " (sentence(rule.sentence)) }
        p.place {
            a href=(chapter) { "spec/" (rule.chapter) ".md" } ":" (rule.line) (witness(rule))
        }
        (verdicts(site, rule))
        (explored::of_rule(site, rule))
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

/// Who got which mark, a line for each mark. Who differs is further down, under a heading that has
/// the mark; of the others, most are seldom told by name.
fn verdicts(site: &Site, rule: &'static Requirement) -> Markup {
    let all = site.tried.len();
    let of = |mark| {
        let own = { site.tried.iter() }.filter(|tried| tried.gravest(rule).0 == mark);
        own.map(|tried| tried.name.as_str()).collect::<Vec<_>>()
    };
    html! { @for mark in Mark::ALL { @if !mark.has_page() {
        @let found = of(mark);
        @if !found.is_empty() { p.who { (mark.shown()) " · " @match found.len() {
            some if some > 1 && some == all => { "all " (all) },
            some if mark == Mark::Pass && some > NAMED_MAX => { "the other " (some) },
            _ => (found.join(" · ")),
        } } }
    } } }
}

/// Every failure of a rule or of a variant of it, one implementation after the other, and how to
/// see them by hand: they often come of the same bytes.
fn failures(site: &Site, rule: &'static Requirement) -> Markup {
    let all = { site.tried.iter() }.flat_map(|tried| family(rule).map(move |named| (tried, named)));
    let told: Vec<(&Tried, &'static Requirement, &Case)> = all
        .filter_map(|(tried, named)| Some((tried, named, tried.telling(named.name)?)))
        .collect();
    let scripts: BTreeSet<&str> = { told.iter() }
        .filter_map(|(.., case)| script(case))
        .collect();
    let mut shown = Shown::new();
    html! {
        @for (tried, named, case) in told { (section(tried, named, case, &mut shown)) }
        @if !scripts.is_empty() {
            h2 { "By hand" }
            @for script in scripts { pre.copy { (script) } }
        }
    }
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
        h3 { (what) " " code { (last_word(variant)) }
            @if let Some(class) = variant.class { small { " · " (class) } } }
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
    let shown = CASES_MAX.saturating_sub(law.len()).min(own.len());
    let (shown, named) = own.split_at(shown);
    html! { @if !(law.is_empty() && own.is_empty()) {
        h2 { "Examples" }
        @for exchange in law.iter().chain(shown) { (example(exchange)) }
        @if let Some(last) = named.last() {
            p { "And in " code { (last.file) } " lines"
                @for exchange in named { " " (exchange.line) } "." }
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
