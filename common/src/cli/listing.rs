//! Listings: what there is several of, for people and for programs.

use std::io;

use serde_json::{Value, json};

use super::client::Answer;
use super::fields::Fields;
use super::screen::Screen;

/// A heading, and what stands under it.
pub type Column = (&'static str, fn(&Fields) -> String);

/// How one kind of listing is read and shown.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// What its items are, in JSON and to people.
    pub items: &'static str,
    /// The names of the words that come without a key.
    pub columns: &'static [&'static str],
    /// What people see.
    pub shown: &'static [Column],
}

impl Listing {
    /// For people, and for pipes of words.
    ///
    /// # Errors
    /// Those of the standard output.
    pub fn show(&self, answer: &Answer, screen: &mut Screen) -> io::Result<()> {
        let items: Vec<_> = answer.lines.iter().map(|line| self.item(line)).collect();
        if !items.is_empty() {
            self.table(&items, screen)
        } else if screen.is_terminal() {
            screen.line(&format!("no {}", self.items))
        } else {
            Ok(())
        }
    }

    /// For programs.
    pub fn json(&self, answer: &Answer) -> Value {
        let items: Value = answer.lines.iter().map(|line| self.item(line).json()).collect();
        json!({ self.items: items })
    }

    /// One line of it.
    pub fn item(&self, line: &str) -> Fields {
        Fields::read(line, self.columns)
    }

    /// Shows these items.
    ///
    /// # Errors
    /// Those of the standard output.
    pub fn table(&self, items: &[Fields], screen: &mut Screen) -> io::Result<()> {
        let headings: Vec<_> = self.shown.iter().map(|(heading, _)| *heading).collect();
        let row = |item: &Fields| self.shown.iter().map(|(_, cell)| cell(item)).collect();
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        screen.table(&headings, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Listing = Listing {
        items: "places",
        columns: &["name", "address"],
        shown: &[("name", |place| place.value("name").into())],
    };

    #[test]
    fn a_listing_is_a_list_of_objects_even_when_it_is_empty() {
        let answer = Answer { lines: vec!["bob 10.0.0.2:6000 port=7".into()], last: "1 places".into() };
        let expected = json!({"places": [{"name": "bob", "address": "10.0.0.2:6000", "port": 7}]});
        assert_eq!(PLACES.json(&answer), expected);
        assert_eq!(PLACES.json(&Answer { lines: vec![], last: "0 places".into() }), json!({"places": []}));
    }
}
