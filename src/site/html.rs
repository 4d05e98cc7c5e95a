//! Writes HTML in which every text is a text.

/// HTML that is being written.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// A name and a value; the value may come from anywhere.
pub(super) type Attribute<'a> = (&'static str, &'a str);

impl Html {
    /// Adds markup; what is no literal of the code does not go in here.
    pub(super) fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Adds a text.
    pub(super) fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // No document may hold them, however they are written.
                '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' => {
                    self.0.push('\u{fffd}');
                }
                other => self.0.push(other),
            }
        }
    }

    /// Adds an element and what is in it.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        inner: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        inner(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Adds an element that holds only a text.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.element(name, attributes, |html| html.text(text));
    }

    /// Adds a text in which what stands between backticks is code.
    pub(super) fn prose(&mut self, text: &str) {
        let parts: Vec<&str> = text.split('`').collect();
        // A backtick without a second one is a backtick.
        if parts.len().is_multiple_of(2) {
            return self.text(text);
        }
        for (index, part) in parts.into_iter().enumerate() {
            match index % 2 {
                0 => self.text(part),
                _ => self.leaf("code", &[], part),
            }
        }
    }

    /// Adds a row of a table.
    pub(super) fn row(&mut self, cell: &'static str, texts: &[&str]) {
        self.element("tr", &[], |html| {
            for text in texts {
                html.leaf(cell, &[], text);
            }
        });
    }

    /// Adds a table with a line of titles, which may be wider than the page.
    pub(super) fn table(&mut self, titles: &[&str], rows: impl FnOnce(&mut Self)) {
        self.table_of("wide", titles, rows);
    }

    /// Adds a table that becomes a list of its rows where the page is narrow.
    pub(super) fn columns(&mut self, titles: &[&str], rows: impl FnOnce(&mut Self)) {
        self.table_of("wide stack", titles, rows);
    }

    fn table_of(&mut self, class: &'static str, titles: &[&str], rows: impl FnOnce(&mut Self)) {
        self.element("div", &[("class", class)], |html| {
            html.element("table", &[], |html| {
                html.element("thead", &[], |html| html.row("th", titles));
                html.element("tbody", &[], rows);
            });
        });
    }

    /// Adds a link to another place of the page.
    pub(super) fn link(&mut self, anchor: &str, text: &str) {
        self.leaf("a", &[("href", &format!("#{anchor}"))], text);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.0.push('<');
        self.0.push_str(name);
        for (key, value) in attributes {
            self.0.push(' ');
            self.0.push_str(key);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn words_between_backticks_are_code_and_a_single_backtick_is_none() {
        let prose = |text: &str| {
            let mut html = Html::default();
            html.prose(text);
            html.finish()
        };
        assert_eq!(prose("`<a>` of b"), "<code>&lt;a&gt;</code> of b");
        assert_eq!(prose("a ` b"), "a ` b");
        assert_eq!(prose(""), "");
    }

    #[test]
    fn texts_and_values_cannot_become_markup() {
        let mut html = Html::default();
        html.leaf("p", &[("title", "\" onclick='x' & <")], "<script>alert('1')</script>\u{1b}");
        assert_eq!(
            html.finish(),
            "<p title=\"&quot; onclick=&#39;x&#39; &amp; &lt;\">&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{fffd}</p>"
        );
    }
}
