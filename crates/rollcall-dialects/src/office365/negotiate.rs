//! Which format an answer has: `$format`, else `Accept` (wire sections 1.9 and 2.6, and the decisions on formats).

use super::errors::Refusal;
use super::versions::Versions;

/// How many ranges of `Accept` are looked at; those behind are as if they were not there. Browsers send eight.
const MOST_RANGES: usize = 32;

/// A format of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Atom, or whatever XML the payload has.
    Xml,
    /// Verbose JSON.
    Verbose,
    /// JSON light.
    Light(Metadata),
}

/// How much JSON light says of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    Minimal,
    Full,
    None,
}

impl Format {
    /// The content type of JSON in this format.
    pub(super) const fn json_type(self) -> &'static str {
        match self {
            Self::Xml | Self::Verbose => "application/json;odata=verbose;charset=utf-8",
            Self::Light(Metadata::Minimal) => "application/json;odata=minimalmetadata;charset=utf-8",
            Self::Light(Metadata::Full) => "application/json;odata=fullmetadata;charset=utf-8",
            Self::Light(Metadata::None) => "application/json;odata=nometadata;charset=utf-8",
        }
    }
}

/// What is answered, as far as media types go. Bare texts and `$metadata` have one type each, whatever is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    Feed,
    Entry,
    Property,
    Service,
    Metadata,
    Text,
}

impl Payload {
    /// Its XML types, without and with the parameters of the content type; the default first.
    const fn xml_types(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Feed => &[("application/atom+xml", "application/atom+xml;type=feed;charset=utf-8")],
            Self::Entry => &[("application/atom+xml", "application/atom+xml;type=entry;charset=utf-8")],
            Self::Property => &[("application/xml", "application/xml;charset=utf-8"), ("text/xml", "text/xml;charset=utf-8")],
            Self::Service => &[
                ("application/xml", "application/xml;charset=utf-8"),
                ("application/atomsvc+xml", "application/atomsvc+xml;charset=utf-8"),
            ],
            Self::Metadata => &[("application/xml", "application/xml;charset=utf-8")],
            Self::Text => &[("text/plain", "text/plain;charset=utf-8")],
        }
    }

    const fn is_fixed(self) -> bool {
        matches!(self, Self::Metadata | Self::Text)
    }
}

/// A format and its content type.
pub(super) type Choice = (Format, &'static str);

/// The format of an answer.
pub(super) fn choose(payload: Payload, format: Option<&str>, accept: Option<&str>, versions: &Versions) -> Result<Choice, Refusal> {
    let xml = payload.xml_types().first().map_or((Format::Xml, "application/xml;charset=utf-8"), |(_, full)| (Format::Xml, *full));
    if payload.is_fixed() {
        return if format.is_none_or(is_known) { Ok(xml) } else { Err(Refusal::MediaType) };
    }
    let accept = match format {
        None => accept.unwrap_or("*/*"),
        // A plus sign that was not encoded has become a blank.
        Some(range) if range.contains('/') => {
            return best(payload, &range.replace("atom xml", "atom+xml").replace("svc xml", "svc+xml"), versions);
        }
        Some(name) => {
            let atom = matches!(payload, Payload::Feed | Payload::Entry);
            return match name.to_ascii_lowercase().as_str() {
                "json" | "verbosejson" => Ok((Format::Verbose, Format::Verbose.json_type())),
                "atom" if atom => Ok(xml),
                "xml" if !atom => Ok(xml),
                _ => Err(Refusal::MediaType),
            };
        }
    };
    if accept.trim().is_empty() { Ok(xml) } else { best(payload, accept, versions) }
}

/// The format in which a refusal is told: that of the answer, as far as the request is understood.
pub(super) fn for_refusal(format: Option<&str>, accept: Option<&str>, versions: &Versions) -> Format {
    let payloads = [Payload::Feed, Payload::Service];
    payloads.iter().find_map(|payload| choose(*payload, format, accept, versions).ok()).map_or(Format::Xml, |(format, _)| format)
}

fn is_known(format: &str) -> bool {
    format.contains('/') || ["json", "verbosejson", "atom", "xml"].iter().any(|name| format.eq_ignore_ascii_case(name))
}

/// One range of `Accept`.
#[derive(Debug)]
struct Range<'t> {
    name: &'t str,
    odata: Option<&'t str>,
    kind: Option<&'t str>,
    is_v4: bool,
    /// In thousandths.
    quality: u16,
}

impl<'t> Range<'t> {
    fn parse(text: &'t str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Self { name: parts.next().unwrap_or_default(), odata: None, kind: None, is_v4: false, quality: 1000 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.quality = quality(value),
                "odata" => range.odata = Some(value),
                "type" => range.kind = Some(value),
                "odata.metadata" => range.is_v4 = true,
                _ => {}
            }
        }
        range
    }

    fn specificity(&self) -> u8 {
        match self.name {
            "*/*" | "*" => 0,
            name if name.ends_with("/*") => 1,
            _ if self.odata.is_none() && self.kind.is_none() => 2,
            _ => 3,
        }
    }

    /// Whether the range takes a media type, apart from parameters.
    fn takes(&self, media_type: &str) -> bool {
        let group = |name: &str| media_type.split_once('/').is_some_and(|(group, _)| group.eq_ignore_ascii_case(name));
        matches!(self.name, "*/*" | "*") || self.name.strip_suffix("/*").is_some_and(group) || self.name.eq_ignore_ascii_case(media_type)
    }

    /// The first format, in the server's order, that the range takes.
    fn choice(&self, payload: Payload, versions: &Versions) -> Option<Choice> {
        if self.is_v4 {
            return None;
        }
        let kind = |full: &str| self.kind.is_none_or(|kind| full.contains(&format!(";type={};", kind.to_ascii_lowercase())));
        let mut types = payload.xml_types().iter();
        if let Some((_, full)) = types.find(|(short, full)| self.odata.is_none() && self.takes(short) && kind(full)) {
            return Some((Format::Xml, full));
        }
        if !self.takes("application/json") {
            return None;
        }
        let light = |metadata| versions.allow_light().then_some(Format::Light(metadata));
        let format = match self.odata.map(str::to_ascii_lowercase).as_deref() {
            None if versions.prefer_light() => Some(Format::Light(Metadata::Minimal)),
            None | Some("verbose") => Some(Format::Verbose),
            Some("minimalmetadata" | "light") => light(Metadata::Minimal),
            Some("fullmetadata") => light(Metadata::Full),
            Some("nometadata") => light(Metadata::None),
            Some(_) => None,
        };
        format.map(|format| (format, format.json_type()))
    }
}

/// By quality, then by specificity, then in the server's order.
fn best(payload: Payload, accept: &str, versions: &Versions) -> Result<Choice, Refusal> {
    let ranges = accept.split(',').take(MOST_RANGES).map(Range::parse);
    let offered: Vec<_> = ranges.filter_map(|range| Some((range.choice(payload, versions)?, range))).collect();
    // How specifically each choice is refused: there are no more choices than formats.
    let mut refused: Vec<(Choice, u8)> = Vec::new();
    for (choice, range) in offered.iter().filter(|(_, range)| range.quality == 0) {
        match refused.iter_mut().find(|(other, _)| other == choice) {
            Some((_, specificity)) => *specificity = range.specificity().max(*specificity),
            None => refused.push((*choice, range.specificity())),
        }
    }
    let is_refused = |choice: &Choice, than: u8| refused.iter().any(|(other, specificity)| other == choice && *specificity > than);
    let wanted = offered.iter().filter(|(choice, range)| range.quality > 0 && !is_refused(choice, range.specificity()));
    let weight = |(choice, range): &&(Choice, Range<'_>)| {
        let rank = if choice.0 == Format::Xml { 2 } else { u8::from(choice.0 == Format::Verbose) };
        (range.quality, range.specificity(), rank)
    };
    // Of equals the first counts: the last of them, from behind.
    wanted.rev().max_by_key(weight).map(|(choice, _)| *choice).ok_or(Refusal::MediaType)
}

/// `0.9` in thousandths; what is no number weighs full.
fn quality(text: &str) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    text.parse::<f32>().map_or(1000, |number| (number.clamp(0.0, 1.0) * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// As `best`, but each range is compared with each.
    fn naive(payload: Payload, accept: &str, versions: &Versions) -> Result<Choice, Refusal> {
        let ranges: Vec<_> = accept.split(',').map(Range::parse).collect();
        let mut found: Option<((u16, u8, u8), Choice)> = None;
        for range in ranges.iter().filter(|range| range.quality > 0) {
            let Some(choice) = range.choice(payload, versions) else { continue };
            let refuses = |other: &Range<'_>| other.quality == 0 && other.specificity() > range.specificity();
            if ranges.iter().any(|other| refuses(other) && other.choice(payload, versions) == Some(choice)) {
                continue;
            }
            let rank = if choice.0 == Format::Xml { 2 } else { u8::from(choice.0 == Format::Verbose) };
            let weight = (range.quality, range.specificity(), rank);
            if found.is_none_or(|(best, _)| weight > best) {
                found = Some((weight, choice));
            }
        }
        found.map(|(_, choice)| choice).ok_or(Refusal::MediaType)
    }

    const NAMES: &[&str] =
        &["*/*", "*", "application/*", "text/*", "application/json", "application/atom+xml", "application/xml", "text/xml", "image/png"];
    const PARAMETERS: &[&str] =
        &["", ";odata=verbose", ";odata=nometadata", ";odata=other", ";type=feed", ";type=entry", ";odata.metadata=full"];
    const QUALITIES: &[&str] = &["", ";q=0", ";q=0.5", ";q=1", ";q=x"];
    const PAYLOADS: &[Payload] = &[Payload::Feed, Payload::Entry, Payload::Property, Payload::Service];

    proptest! {
        #[test]
        fn one_pass_chooses_what_comparing_all_pairs_chooses(
            payload in select(PAYLOADS),
            ranges in prop::collection::vec((select(NAMES), select(PARAMETERS), select(QUALITIES)), 1..MOST_RANGES),
        ) {
            let accept = ranges.iter().map(|(name, parameter, quality)| format!("{name}{parameter}{quality}")).collect::<Vec<_>>().join(", ");
            let versions = Versions::default();
            prop_assert_eq!(best(payload, &accept, &versions), naive(payload, &accept, &versions), "{}", accept);
        }
    }

    #[test]
    fn ranges_past_the_thirty_second_are_not_looked_at() {
        let versions = Versions::default();
        let accept = |others: usize| format!("{}application/json", "image/png,".repeat(others));
        assert_eq!(best(Payload::Feed, &accept(MOST_RANGES - 1), &versions).map(|(format, _)| format), Ok(Format::Verbose));
        assert_eq!(best(Payload::Feed, &accept(MOST_RANGES), &versions), Err(Refusal::MediaType));
    }
}
