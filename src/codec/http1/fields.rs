//! Field lines (RFC 9112, section 5), in the order and the letters in which they came.

use std::borrow::Cow;

use super::line::{Line, is_blank, is_token, trim};
use super::{Fault, FaultKind, Span};

/// How many fields a head or a trailer section may have.
pub const MAX_FIELDS: usize = 256;

/// One field as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, its case kept.
    pub name: String,
    /// The value without the blanks around it; lines of an obs-fold are joined by one space.
    pub value: Vec<u8>,
    /// The whole line or, with an obs-fold, all its lines; line ends included.
    pub line: Span,
    /// The bytes of the value, from its first to its last.
    pub value_span: Span,
}

impl Field {
    /// Whether this is the field `name`; case does not count.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value as text; bytes that are no UTF-8 become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

/// The fields of a head, duplicates kept. Names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.iter().find(|field| field.is(name))
    }

    /// All fields of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.iter().filter(move |field| field.is(name))
    }

    /// All fields, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.0.iter()
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the first field of this name, as text.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(Field::text)
    }

    /// The elements of a list-valued field (RFC 9110, section 5.6.1): all lines of this name, split at commas, trimmed,
    /// in lower case, without empty elements. For lists of tokens: a comma in a quoted string splits as well.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|field| field.value.split(|&byte| byte == b','))
            .map(|element| String::from_utf8_lossy(&element[trim(element, 0..element.len())]).to_ascii_lowercase())
            .filter(|element| !element.is_empty())
            .collect()
    }

    /// How many bytes of names and values are kept here.
    pub(super) fn held(&self) -> usize {
        self.iter().map(|field| field.name.len() + field.value.len()).sum()
    }

    /// Takes in the next line of a field section.
    pub(super) fn add<E: From<Fault>>(&mut self, line: Line, out: &mut Vec<E>) -> Result<(), Fault> {
        if line.text.first().copied().is_some_and(is_blank) {
            return self.unfold(line, out);
        }
        let Some(colon) = line.text.iter().position(|&byte| byte == b':') else {
            report(FaultKind::FieldWithoutColon.at(line.locate(0..line.text.len())), out);
            return Ok(());
        };
        if self.len() == MAX_FIELDS {
            return Err(FaultKind::TooManyFields.at(line.span));
        }

        let name = trim(&line.text, 0..colon);
        if name.end < colon {
            report(FaultKind::BlankBeforeColon.at(line.locate(name.end..colon)), out);
        }
        if !is_token(&line.text[name.clone()]) {
            report(FaultKind::FieldNameNotToken.at(line.locate(name.clone())), out);
        }
        out.extend(line.control(colon + 1).map(E::from));

        let value = trim(&line.text, colon + 1..line.text.len());
        self.0.push(Field {
            name: String::from_utf8_lossy(&line.text[name]).into_owned(),
            value: line.text[value.clone()].to_vec(),
            value_span: line.locate(value),
            line: line.span,
        });
        Ok(())
    }

    /// Joins a line that begins with a blank to the value before it, with one space (RFC 9112, section 5.2).
    fn unfold<E: From<Fault>>(&mut self, line: Line, out: &mut Vec<E>) -> Result<(), Fault> {
        let more = trim(&line.text, 0..line.text.len());
        let Some(field) = self.0.last_mut() else {
            report(FaultKind::BlankBeforeFirstField.at(line.locate(0..line.text.len())), out);
            return Ok(());
        };
        report(FaultKind::ObsFold.at(line.locate(0..more.start)), out);
        out.extend(line.control(0).map(E::from));
        if !more.is_empty() {
            field.value.push(b' ');
            field.value.extend_from_slice(&line.text[more.clone()]);
            field.value_span.end = line.locate(more).end;
        }
        field.line.end = line.span.end;
        Ok(())
    }
}

fn report<E: From<Fault>>(fault: Fault, out: &mut Vec<E>) {
    out.push(fault.into());
}

impl IntoIterator for Fields {
    type Item = Field;
    type IntoIter = std::vec::IntoIter<Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<Field>> for Fields {
    fn from(fields: Vec<Field>) -> Self {
        Fields(fields)
    }
}
