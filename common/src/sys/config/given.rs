//! One value of a file, asked what it is.

use std::ops::RangeInclusive;

use toml::de::DeValue;

/// A value as the file gives it; each question answers `None` for a value of another kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Given(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Text(String),
    Flag(bool),
    Number(f64),
    List(Vec<Given>),
    Other,
}

impl Given {
    pub(super) fn new(value: &DeValue<'_>) -> Self {
        Self(match value {
            DeValue::String(text) => Kind::Text(text.clone().into_owned()),
            DeValue::Boolean(flag) => Kind::Flag(*flag),
            DeValue::Float(float) => float.as_str().parse().map_or(Kind::Other, Kind::Number),
            DeValue::Integer(integer) => i32::from_str_radix(integer.as_str(), integer.radix())
                .map_or(Kind::Other, |number| Kind::Number(f64::from(number))),
            DeValue::Array(items) => Kind::List(items.iter().map(|item| Self::new(item.get_ref())).collect()),
            _ => Kind::Other,
        })
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.0 { Some(text) } else { None }
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        if let Kind::Flag(flag) = self.0 { Some(flag) } else { None }
    }

    /// Any number: 2.5, 10 and 10.0 alike.
    pub fn number(&self) -> Option<f64> {
        if let Kind::Number(number) = self.0 { Some(number) } else { None }
    }

    /// A list of values.
    pub fn list(&self) -> Option<&[Self]> {
        if let Kind::List(items) = &self.0 { Some(items) } else { None }
    }

    /// A whole number between two bounds, both allowed; 10.0 is one too.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and within the range of u32"
    )]
    pub fn whole(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let number = self.number().filter(|number| number.fract() == 0.0)?;
        let bounds = f64::from(*range.start())..=f64::from(*range.end());
        bounds.contains(&number).then_some(number as u32)
    }
}
