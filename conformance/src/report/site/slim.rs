//! A page without what HTML lets one leave out: quotes around plain words, and tags that end where
//! the next begins. There are nearly a thousand pages, and a tenth of some is that.
//!
//! It reads what `maud` and `pulldown-cmark` write, in which `<` begins a tag and nothing else.

/// What ends by itself where the next tag begins, be that its like or its parent's end.
const ENDS: [&str; 8] = [
    "</td>", "</th>", "</tr>", "</li>", "</dd>", "</dt>", "</thead>", "</tbody>",
];
/// Where a paragraph ends by itself.
const END_PARAGRAPH: [&str; 10] = [
    "<p>",
    "<p ",
    "<pre",
    "<h2",
    "<h3",
    "<dl",
    "<ul",
    "<section",
    "<div",
    "</section>",
];

/// The same page, shorter.
pub(super) fn slim(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let (text, tagged) = rest.split_at(start);
        out.push_str(text);
        let end = tagged.find('>').map_or(tagged.len(), |end| end + 1);
        let (tag, after) = tagged.split_at(end);
        let is_over = match tag {
            "</p>" => END_PARAGRAPH.iter().any(|next| after.starts_with(next)),
            _ => ENDS.contains(&tag) && after.starts_with('<'),
        };
        if !is_over {
            unquoted(tag, &mut out);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A tag whose attributes have quotes only where they need some.
fn unquoted(tag: &str, out: &mut String) {
    let mut rest = tag;
    while let Some((before, quoted)) = rest.split_once("=\"") {
        let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
        out.push_str(before);
        // A slash behind a word without quotes would be a part of it.
        let stands_alone = after.starts_with([' ', '>']);
        if stands_alone && !value.is_empty() && value.bytes().all(is_plain) {
            out.push('=');
            out.push_str(value);
        } else {
            out.push_str("=\"");
            out.push_str(value);
            out.push('"');
        }
        rest = after;
    }
    out.push_str(rest);
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"#./:_-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::slim;

    #[test]
    fn only_plain_words_lose_their_quotes() {
        assert_eq!(
            slim("<a href=\"a/b.html#c\">d=\"e\"</a>"),
            "<a href=a/b.html#c>d=\"e\"</a>"
        );
        for kept in [
            "<a title=\"\">",
            "<p class=\"m f\">",
            "<a title=\"a&gt;b\">",
            "<i a=\"'\">",
            "<a title=\"x onclick=y\">",
            "<img src=\"a\"/>",
            "<a title=\"`\">",
        ] {
            assert_eq!(slim(kept), kept);
        }
    }

    #[test]
    fn only_tags_that_end_by_themselves_are_left_out() {
        assert_eq!(
            slim("<tr><td>a</td><td>b</td></tr></table>"),
            "<tr><td>a<td>b</table>"
        );
        assert_eq!(slim("<p>a</p><pre>b</pre></p>"), "<p>a<pre>b</pre></p>");
        // What stands behind an end would else stand before it.
        for kept in [
            "<li>a</li> b",
            "<p>a</p><b>c</b>",
            "a < b",
            "<b>> a</b>\n&lt;",
        ] {
            assert_eq!(slim(kept), kept);
        }
    }
}
