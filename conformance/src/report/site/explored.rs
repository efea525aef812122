//! Which rules the histories of `touchstone explore` reached: beside a rule, whose they were, and
//! for an implementation how many, and which they did not reach.
//!
//! To reach a rule is to play what it rules on; what came of that is for `touchstone merge`. Only
//! rules that exchanges show can be reached at all.

use maud::{Markup, html};
use spec::{Kind, Requirement};

use super::Site;
use super::data::{Tried, slug};
use crate::explore::part::{Merged, Part};
use crate::explore::reachable;

/// What explorations of one implementation reached.
#[derive(Clone, Debug)]
pub struct Explored {
    /// What it is called in the site.
    name: String,
    slug: String,
    /// What was played, as `touchstone explore` says it.
    played: String,
    /// In the order of the law.
    unreached: Vec<&'static str>,
}

impl Explored {
    /// Reads what `touchstone explore --save FILE` wrote.
    ///
    /// # Errors
    /// As [`Part::read`].
    pub fn read(name: &str, text: &str) -> Result<Explored, String> {
        let merged = Merged::new(vec![Part::read(text)?])?;
        Ok(Explored {
            name: name.to_owned(),
            slug: slug(name),
            played: merged.to_string(),
            unreached: merged.unreached(),
        })
    }

    fn has_reached(&self, rule: &Requirement) -> bool {
        !self.unreached.contains(&rule.name)
    }

    fn of<'a>(site: &'a Site, tried: &Tried) -> Option<&'a Explored> {
        let mut all = site.explored.iter();
        all.find(|explored| explored.slug == tried.slug)
    }
}

/// Of a rule: whose histories reached it, and whose did not.
pub(super) fn of_rule(site: &Site, rule: &'static Requirement) -> Markup {
    let is_reachable = reachable().any(|other| other.name == rule.name);
    let all = site.explored.iter().filter(|_| is_reachable);
    let (reached, not): (Vec<_>, Vec<_>) = all.partition(|explored| explored.has_reached(rule));
    let names = |of: &[&Explored]| {
        let names: Vec<&str> = of.iter().map(|explored| explored.name.as_str()).collect();
        names.join(" · ")
    };
    html! {
        @if !reached.is_empty() { p.who { "explored · "
            @if not.is_empty() && reached.len() > 1 { "reached in all " (reached.len()) }
            @else { "reached in " (names(&reached)) } } }
        @if !not.is_empty() { p.who { span."m o" { "· not reached" } " by exploring "
            (names(&not)) } }
    }
}

/// How many rules the histories of this implementation reached, of how many that they could.
pub(super) fn count(site: &Site, tried: &Tried) -> Option<(usize, usize)> {
    let explored = Explored::of(site, tried)?;
    let all = reachable().filter(|rule| rule.kind == Kind::Rule).count();
    Some((all.saturating_sub(explored.unreached.len()), all))
}

/// Of an implementation: what was played, and what that did not reach.
pub(super) fn of_one(
    site: &Site,
    tried: &Tried,
    named: impl Fn(&[&'static str]) -> String,
) -> Markup {
    html! { @if let Some(explored) = Explored::of(site, tried) {
        h2 id="explored" { "What histories that nobody wrote reached" }
        pre { (explored.played.trim_end()) }
        @if !explored.unreached.is_empty() { details {
            summary { span."m o" { "· not reached" } " " (explored.unreached.len())
                " rules that exchanges show" }
            p { (named(&explored.unreached)) }
        } }
    } }
}
