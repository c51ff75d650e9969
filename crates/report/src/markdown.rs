//! Markdown of rules, printed for terminals and as HTML.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// Markdown as HTML. Raw HTML in it is shown as text: rules come from anywhere. Links are kept only if they
/// lead to the web.
pub(crate) fn to_html(markdown: &str) -> String {
    let events =
        Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).map(|event| {
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
}
