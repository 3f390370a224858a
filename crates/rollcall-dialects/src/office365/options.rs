//! Query options (wire section 1.10): which there are, and the values of those that are no expressions.

use super::errors::Refusal;
use super::path::percent_decoded;
use super::wire::Property;
use std::sync::Arc;

const KNOWN: [&str; 10] =
    ["$expand", "$filter", "$orderby", "$skip", "$skiptoken", "$inlinecount", "$top", "$select", "$format", "$callback"];

/// The parameters of a request, decoded, in order; those with an empty value too. Copies share them.
#[derive(Debug, Clone)]
pub(super) struct Options(Arc<[(String, String)]>);

impl Options {
    /// Reads a query string. Its names are not checked yet.
    pub(super) fn parse(query: &str) -> Result<Self, Refusal> {
        let decode = |text: &str| percent_decoded(&text.replace('+', " ")).ok_or(Refusal::Syntax);
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?.trim().to_owned(), decode(value)?.trim().to_owned()))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// Rules 1 and 2: names are known, and given once.
    pub(super) fn check_names(&self) -> Result<(), Refusal> {
        let mut firsts = [None; KNOWN.len()];
        for (name, value) in self.0.iter().filter(|(name, _)| name.starts_with('$')) {
            let known = KNOWN.iter().zip(&mut firsts).find(|(known, _)| *known == name);
            let (_, first) = known.ok_or_else(|| Refusal::UnknownOption(name.clone()))?;
            // Clients append `&$format=json` to a next link, which has it already.
            let same = |first: &str| name == "$format" && first.eq_ignore_ascii_case(value);
            if first.replace(value.as_str()).is_some_and(|first| !same(first)) {
                return Err(Refusal::OptionTwice(name.clone()));
            }
            if name == "$callback" {
                return Err(Refusal::Callback);
            }
        }
        Ok(())
    }

    /// The value of an option; an empty one is as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Rule 6: `$top` and `$skip`.
    pub(super) fn number(&self, option: &'static str) -> Result<Option<usize>, Refusal> {
        let Some(value) = self.get(option) else { return Ok(None) };
        let number = value.parse::<i32>().ok().and_then(|number| usize::try_from(number).ok());
        number.map(Some).ok_or_else(|| Refusal::Number { option, value: value.into() })
    }

    /// Rule 7: whether `$inlinecount` asks for the count.
    pub(super) fn inline_count(&self) -> Result<bool, Refusal> {
        match self.get("$inlinecount") {
            None | Some("none") => Ok(false),
            Some("allpages") => Ok(true),
            Some(_) => Err(Refusal::InlineCount),
        }
    }

    /// Rule 8: the properties selected, in the order of the metadata; none without `$select`.
    pub(super) fn select(&self) -> Result<Option<Vec<Property>>, Refusal> {
        if let Some(name) = self.get("$expand") {
            return Err(Refusal::SelectUnknown(name.split(',').next().unwrap_or(name).trim().into()));
        }
        let Some(value) = self.get("$select") else { return Ok(None) };
        let mut selected = Vec::new();
        for name in value.split(',').map(str::trim) {
            match Property::from_option(name) {
                Some(property) => selected.push(property),
                None if name == "*" => selected.extend(Property::ALL),
                None => return Err(Refusal::SelectUnknown(name.into())),
            }
        }
        Ok(Some(Property::ALL.into_iter().filter(|property| selected.contains(property)).collect()))
    }

    /// Rule 10: nothing that is about many rows, where one is asked for.
    pub(super) fn check_single(&self) -> Result<(), Refusal> {
        let about_many = ["$orderby", "$inlinecount", "$skip", "$top", "$skiptoken"];
        if about_many.iter().any(|name| self.get(name).is_some()) { Err(Refusal::SetOptions) } else { Ok(()) }
    }
}

/// A value as URLs of answers have it: what .NET's `Uri.EscapeDataString` leaves is left.
pub(super) fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            byte if b"-_.~!*'()".contains(&byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
