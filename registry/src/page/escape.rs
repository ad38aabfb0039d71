//! Text from outside, made harmless: it is shown, and never becomes markup.

use std::fmt::{self, Write};

/// Text between tags or inside a quoted attribute of HTML.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&#39;"),
            _ => out.write_char(character),
        })
    }
}

/// JSON that holds no `<`, `>` or `&`, which stand in its strings alone: even read as HTML it has no markup.
pub(super) fn json(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_becomes_text() {
        let text = Text("<img src=x onerror=\"alert('&')\">João").to_string();
        assert_eq!(text, "&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;João");
    }

    proptest! {
        #[test]
        fn no_text_can_open_a_tag_or_close_an_attribute(text in "\\PC*") {
            prop_assert!(!Text(&text).to_string().contains(['<', '>', '"', '\'']));
        }

        #[test]
        fn json_means_the_same_without_markup(text in "\\PC*|.*") {
            let escaped = json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!escaped.contains(['<', '>', '&', '\n']));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }
}
