//! Markdown of rules, printed for terminals and as HTML.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// Markdown as HTML. Raw HTML in it is shown as text: rules come from anywhere. Links are kept only if they
/// lead to the web.
pub(crate) fn to_html(markdown: &str) -> String {
    let literal = with_literal_stars(markdown);
    let events =
        Parser::new_ext(&literal, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).map(|event| {
            match event {
                Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    let web = dest_url.starts_with("https://") || dest_url.starts_with("http://");
                    let dest_url = if web { dest_url } else { "#".into() };
                    Event::Start(Tag::Link { link_type, dest_url, title, id })
                }
                // A page that loads nothing: an image stands as its description.
                Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
                Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
                other => other,
            }
        });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

/// Escapes the stars of index patterns in prose, `logs-*, metrics-*`, of which Markdown would make emphasis. What stands
/// between back-quotes or in a fence is literal anyhow.
fn with_literal_stars(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut is_fenced = false;
    for line in markdown.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        is_fenced ^= is_fence;
        if is_fenced || is_fence || line.starts_with("    ") {
            out += line;
            continue;
        }
        let (mut is_code, mut before) = (false, ' ');
        for (at, it) in line.char_indices() {
            is_code ^= it == '`';
            let after = line[at + it.len_utf8()..].chars().next().unwrap_or(' ');
            let is_pattern =
                matches!(before, '-' | '/' | ':' | '=') && !after.is_alphanumeric() && after != '*';
            if it == '*' && is_pattern && !is_code {
                out.push('\\');
            }
            out.push(it);
            before = it;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_rules_does_not_run() {
        let page = to_html(
            "a <script>alert(1)</script> [x](javascript:alert(1)) ![i](https://203.0.113.1/p.png)\n\n<img src=x onerror=y>\n",
        );
        assert!(
            !page.contains("<script") && !page.contains("javascript:") && !page.contains("<img"),
            "{page}"
        );
        assert!(to_html("**b** `c`").contains("<strong>b</strong> <code>c</code>"));
    }

    #[test]
    fn literals_stay_as_they_are() {
        for (text, html) in [
            ("a filebeat-*, logs-* b", "a filebeat-*, logs-* b"),
            ("`filebeat-*` and `s3:*`", "<code>filebeat-*</code> and <code>s3:*</code>"),
            ("*so* and **bold-ish** a_b_c", "<em>so</em> and <strong>bold-ish</strong> a_b_c"),
            ("- one\n* two", "<ul>"),
        ] {
            assert!(to_html(text).contains(html), "{}", to_html(text));
        }
        assert!(to_html("```\nlogs-*, x-*\n```\n").contains("<code>logs-*, x-*"));
    }
}
