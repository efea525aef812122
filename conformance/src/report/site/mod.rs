//! Reports as a site of static pages: what holds, what does not, beside others, down to the bytes.
//!
//! It needs no network, no build and no JavaScript to be read; what a server sent is text there and
//! nothing else ([`frame`] forbids the rest). It judges nothing and writes no file: it makes
//! [`Page`]s. Begin with [`Site`]; [`data`] reads the reports.

mod badge;
mod book;
mod changes;
pub mod data;
mod explored;
mod failure;
mod frame;
mod history;
mod home;
mod implementation;
mod liars;
mod mark;
mod matrix;
mod prose;
mod rule;
mod search;
mod slim;

use spec::exchange::Exchange;

use data::Tried;
pub use explored::Explored;
pub use history::History;
pub use liars::LiarRow;

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it stands in the site: `rules/storage.set.stored.html`.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

impl Page {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Page {
        Page {
            path: path.into(),
            text: text.into(),
        }
    }

    /// What is to stand in the file: what a browser reads as the text, in fewer bytes.
    #[must_use]
    pub fn written(&self) -> std::borrow::Cow<'_, str> {
        match self.path.ends_with(".html") {
            true => slim::slim(&self.text).into(),
            false => self.text.as_str().into(),
        }
    }
}

/// All that the site tells of.
#[derive(Debug, Default)]
pub struct Site {
    /// The implementations, in the order of the columns.
    pub tried: Vec<Tried>,
    /// Earlier reports of implementations of the same names.
    pub before: Vec<Tried>,
    /// Explorations of implementations of the same names.
    pub explored: Vec<Explored>,
    /// Histories that many clients made.
    pub histories: Vec<History>,
    /// What the suite made of servers that are known to lie.
    pub liars: Vec<LiarRow>,
    /// The cases there are.
    pub exchanges: Vec<Exchange>,
}

impl Site {
    /// Every file of it.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let mut pages = vec![
            Page::new("style.css", include_str!("style.css")),
            Page::new("site.js", include_str!("site.js")),
            search::index(),
            home::page(self),
            matrix::page(self),
        ];
        pages.extend(book::pages(self));
        pages.extend(data::rules().map(|rule| rule::page(self, rule)));
        for tried in &self.tried {
            pages.push(badge::page(tried));
            pages.push(implementation::page(self, tried));
        }
        pages.extend(changes::pages(self));
        pages.extend(history::page(&self.histories));
        pages.extend(liars::page(&self.liars));
        pages
    }
}
