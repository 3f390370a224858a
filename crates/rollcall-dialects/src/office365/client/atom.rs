//! Atom answers, and errors in XML. Names are looked at without their namespaces: servers differ in those.

use super::{Answer, Row};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The rows of a feed, or of an entry.
pub(super) fn answer(body: &str) -> Result<Answer, String> {
    let mut answer = Answer::default();
    let mut is_atom = false;
    walk(body, |path, event| {
        match event {
            Found::Start(element) => match path {
                [.., last] if last == "entry" => answer.rows.push(Row::default()),
                [.., parent, last] if parent == "feed" && last == "link" && attribute(element, "rel").as_deref() == Some("next") => {
                    answer.next = attribute(element, "href");
                }
                _ => {}
            },
            Found::Text(text) => {
                if let ([.., parent, name], Some(row)) = (path, answer.rows.last_mut())
                    && parent == "properties"
                {
                    row.set(name, text)?;
                }
            }
        }
        is_atom |= matches!(path, [root] if root == "feed" || root == "entry");
        Ok(())
    })?;
    if is_atom { Ok(answer) } else { Err("neither a feed nor an entry".into()) }
}

/// The text of an OData error or a service fault.
pub(super) fn message(body: &str) -> Option<String> {
    let mut message = None;
    let walked = walk(body, |path, event| {
        if let (Found::Text(text), [root, name]) = (event, path) {
            let is_message = root == "error" && name == "message" || root == "ServiceFault" && name == "Message";
            if is_message {
                message = Some(text.to_owned());
            }
        }
        Ok(())
    });
    walked.ok().and(message)
}

/// What is found on the way.
enum Found<'f, 'e> {
    Start(&'f BytesStart<'e>),
    /// The text of an element, at its end. An element without text has none.
    Text(&'f str),
}

/// Goes through a document, with the local names of the elements that are open.
fn walk(body: &str, mut see: impl FnMut(&[String], Found<'_, '_>) -> Result<(), String>) -> Result<(), String> {
    let mut reader = Reader::from_str(body);
    let (mut path, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(element) => {
                path.push(local_name(&element));
                text.clear();
                see(&path, Found::Start(&element))?;
            }
            Event::Empty(element) => {
                path.push(local_name(&element));
                see(&path, Found::Start(&element))?;
                path.pop();
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => text.push(character),
                _ => text.push_str(quick_xml::escape::resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Event::End(_) => {
                if !text.is_empty() {
                    see(&path, Found::Text(&text))?;
                }
                text.clear();
                path.pop();
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err("the document ends too early".into()),
            _ => {}
        }
    }
}

fn local_name(element: &BytesStart<'_>) -> String {
    element.local_name().as_ref().to_owned()
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(Into::into)
}
