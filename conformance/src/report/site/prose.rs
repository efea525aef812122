//! Markdown and exchanges as markup. Whatever looks like markup in them is shown, never obeyed.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use super::frame::to_chapter;

/// A sentence with its code, and nothing around it: a link in it would lead from the chapter only.
pub(super) fn sentence(text: &str) -> Markup {
    let inner = |event: &Event<'_>| {
        !matches!(
            event,
            Event::Start(Tag::Paragraph | Tag::Link { .. })
                | Event::End(TagEnd::Paragraph | TagEnd::Link)
        )
    };
    let events = Parser::new(text.trim()).map(tame).filter(inner);
    rendered(events)
}

/// Paragraphs, lists and tables of a chapter, its exchanges as dialogues.
pub(super) fn chapter(text: &str, chapter: &str) -> Markup {
    let mut events = Vec::new();
    let mut code: Option<(String, String)> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match (event, &mut code) {
            (Event::Start(Tag::CodeBlock(kind)), _) => {
                let fence = match kind {
                    CodeBlockKind::Fenced(fence) => fence.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                code = Some((fence, String::new()));
            }
            (Event::Text(text), Some((_, block))) => block.push_str(&text),
            (Event::End(TagEnd::CodeBlock), _) => {
                if let Some((fence, block)) = code.take() {
                    let shown = block_of(&fence, &block).into_string();
                    events.push(Event::Html(CowStr::from(shown)));
                }
            }
            (
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                }),
                _,
            ) => {
                let dest_url = CowStr::from(relinked(&dest_url, chapter));
                events.push(Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                }));
            }
            (Event::End(TagEnd::Heading(level)), _) => {
                name_heading(&mut events);
                events.push(Event::End(TagEnd::Heading(level)));
            }
            (event, _) => events.push(tame(event)),
        }
    }
    rendered(events.into_iter())
}

/// Gives the heading that ends here the name by which links know it: its words, with dashes.
fn name_heading(events: &mut [Event<'_>]) {
    let is_start = |event: &Event<'_>| matches!(event, Event::Start(Tag::Heading { .. }));
    let Some(place) = events.iter().rposition(is_start) else {
        return;
    };
    let words: String = { events.iter().skip(place) }
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(&**text),
            _ => None,
        })
        .collect();
    if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(place) {
        *id = Some(CowStr::from(super::data::slug(&words)));
    }
}

/// The one place that takes markup for markup: what the library made of events without any.
fn rendered<'a>(events: impl Iterator<Item = Event<'a>>) -> Markup {
    let mut text = String::new();
    pulldown_cmark::html::push_html(&mut text, events);
    PreEscaped(text.trim_end().to_owned())
}

/// Markup in the text is text.
fn tame(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    }
}

fn block_of(fence: &str, block: &str) -> Markup {
    match fence.strip_prefix("exchange") {
        Some(header) => html! {
            @if !header.trim().is_empty() { p.place { (header.trim()) } }
            (dialogue(block.lines()))
        },
        None => html! { pre { (block) } },
    }
}

/// What stands before what is sent: markup lets it be, and it stands there ten thousand times.
pub(super) const SENT: PreEscaped<&str> = PreEscaped("> ");

/// An exchange: what is sent stands out from what is expected.
pub(super) fn dialogue<'a>(steps: impl Iterator<Item = &'a str>) -> Markup {
    html! { pre.x { @for step in steps {
        @let client_end = step.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(0);
        @let (client, said) = step.split_at(client_end);
        @match (said.strip_prefix("> "), said.chars().next()) {
            (Some(sent), _) => b { (client) (SENT) (sent) },
            (_, Some('>')) => b { (step) },
            (_, Some('#' | '~' | '=')) => i { (step) },
            _ => (step),
        }
        "\n"
    } } }
}

/// A link from a chapter to another, as it is between pages.
fn relinked(address: &str, chapter: &str) -> String {
    let (file, place) = address.split_once('#').unwrap_or((address, ""));
    let Some(file) = file.strip_suffix(".md").filter(|file| !file.contains(':')) else {
        return address.to_owned();
    };
    let folder = chapter.rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = match file.strip_prefix("../") {
        Some(above) => above.to_owned(),
        None if folder.is_empty() => file.to_owned(),
        None => format!("{folder}/{file}"),
    };
    let page = match spec::CHAPTERS.iter().any(|chapter| chapter.name == whole) {
        true => to_chapter(&whole).replacen("book/", "", 1),
        false => "index.html".to_owned(),
    };
    if place.is_empty() {
        page
    } else {
        format!("{page}#{place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_is_text() {
        let shown = chapter(
            "a <script>alert(1)</script>\n\n<b>\n\n```\n<i>\n```\n",
            "keys",
        );
        let shown = shown.into_string();
        assert!(!shown.contains("<script") && !shown.contains("<b>") && !shown.contains("<i>"));
        assert!(sentence("`<a>` <u>").into_string().contains("&lt;u&gt;"));
        let dialogue = dialogue(["> <script>", "< </pre>"].into_iter()).into_string();
        assert!(dialogue.contains("&lt;script") && dialogue.contains("&lt;/pre"));
    }

    #[test]
    fn a_link_to_a_chapter_leads_to_its_page() {
        assert_eq!(relinked("../keys.md#a.b", "meta/get"), "keys.html#a.b");
        assert_eq!(relinked("set.md", "meta/get"), "meta-set.html");
        assert_eq!(relinked("README.md", "keys"), "index.html");
        assert_eq!(relinked("https://a.b/c.md", "keys"), "https://a.b/c.md");
    }
}
