//! Text, cut into tokens.

use super::errors::{self, At, ODataError};
use super::value::Type;
use winnow::Parser;
use winnow::ascii::digit1;
use winnow::combinator::{alt, eof, opt, preceded, terminated};
use winnow::error::ParserError;
use winnow::stream::Stream;
use winnow::token::{any, one_of, take_till, take_while};

/// A token and where it stands, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token<'_> {
    pub(super) fn start(&self) -> usize {
        self.start
    }

    pub(super) fn end(&self) -> usize {
        self.end
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Open,
    Close,
    Comma,
    Slash,
    Star,
    Minus,
    /// A character that some grammar of the library has, but none here.
    Other,
    /// A keyword, a property or a function.
    Word,
    /// A literal, by its look of this type; an [`Type::Int32`] may be longer.
    Literal(Type),
    /// The end of the text. Always the last token, unless that is `Broken`.
    End,
    /// Nothing that could be a token; what is wrong is said only if the grammar gets here, as the library reads its tokens one by one.
    Broken(ODataError),
}

/// Cuts a text. There is at least one token.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let start = text.len() - rest.len();
        let before = rest;
        let kind = kind.parse_next(&mut rest).unwrap_or_else(|stop| Kind::Broken(broken(stop, At { text, byte: text.len() - rest.len() })));
        let end = text.len() - rest.len();
        let last = matches!(kind, Kind::End | Kind::Broken(_));
        tokens.push(Token { kind, text: &before[..end - start], start, end });
        if last {
            return tokens;
        }
    }
}

/// Why no token was found.
#[derive(Debug)]
enum Stop {
    /// Another kind of token may be.
    Backtrack,
    DigitExpected,
    UnterminatedString,
    UnterminatedLiteral,
}

fn broken(stop: Stop, at: At<'_>) -> ODataError {
    let end = At { byte: at.text.len(), ..at };
    match stop {
        Stop::Backtrack => errors::invalid_character(at.text[at.byte..].chars().next().unwrap_or_default(), at),
        Stop::DigitExpected => errors::digit_expected(at),
        Stop::UnterminatedString => errors::unterminated_string(end),
        Stop::UnterminatedLiteral => errors::unterminated_literal(end),
    }
}

type Input<'t> = &'t str;

fn kind(input: &mut Input<'_>) -> Result<Kind, Stop> {
    alt((end, number, infinity, mark, string, word)).parse_next(input)
}

fn end(input: &mut Input<'_>) -> Result<Kind, Stop> {
    eof.value(Kind::End).parse_next(input)
}

fn mark(input: &mut Input<'_>) -> Result<Kind, Stop> {
    alt((
        '('.value(Kind::Open),
        ')'.value(Kind::Close),
        ','.value(Kind::Comma),
        '/'.value(Kind::Slash),
        '*'.value(Kind::Star),
        '-'.value(Kind::Minus),
        one_of(['=', '?', '.', ':']).value(Kind::Other),
    ))
    .parse_next(input)
}

/// `-1`, `2L`, `3.5`, `1e9`, `4.5m`: the suffix says the type, else the form does.
fn number(input: &mut Input<'_>) -> Result<Kind, Stop> {
    (opt('-'), digit1).void().parse_next(input)?;
    let fraction = opt(preceded('.', digits)).parse_next(input)?;
    let exponent = opt(preceded((one_of(['e', 'E']), opt(one_of(['+', '-']))), digits)).parse_next(input)?;
    let by_form = if fraction.is_some() || exponent.is_some() { Type::Double } else { Type::Int32 };
    let suffix = alt((
        one_of(['m', 'M']).value(Type::Decimal),
        one_of(['d', 'D']).value(Type::Double),
        one_of(['f', 'F']).value(Type::Single),
        one_of(['l', 'L']).value(Type::Int64),
    ));
    let by_suffix = opt(suffix).parse_next(input)?;
    Ok(Kind::Literal(by_suffix.unwrap_or(by_form)))
}

/// Digits that must be there.
fn digits<'t>(input: &mut Input<'t>) -> Result<&'t str, Stop> {
    digit1.map_err(|_: Stop| Stop::DigitExpected).parse_next(input)
}

/// `-INF` and `-INFf`; without the sign they are words.
fn infinity(input: &mut Input<'_>) -> Result<Kind, Stop> {
    preceded('-', name.verify_map(|word| matches!(word, "INF" | "INFf").then(|| named(word)))).parse_next(input)
}

/// `'text'`, a quote within doubled.
fn string(input: &mut Input<'_>) -> Result<Kind, Stop> {
    '\''.parse_next(input)?;
    loop {
        quoted.map_err(|_: Stop| Stop::UnterminatedString).parse_next(input)?;
        if opt('\'').parse_next(input)?.is_none() {
            return Ok(Kind::Literal(Type::String));
        }
    }
}

/// A word, or a literal that begins with one: `true`, `datetime'2013-05-01T00:00:00'`.
fn word(input: &mut Input<'_>) -> Result<Kind, Stop> {
    let word = name.parse_next(input)?;
    match prefixed(word) {
        Some(kind) if input.starts_with('\'') => {
            preceded(any, quoted).map_err(|_: Stop| Stop::UnterminatedLiteral).parse_next(input)?;
            Ok(Kind::Literal(kind))
        }
        _ => Ok(named(word)),
    }
}

/// Up to the next quote, and it.
fn quoted<'t>(input: &mut Input<'t>) -> Result<&'t str, Stop> {
    terminated(take_till(0.., '\''), '\'').parse_next(input)
}

fn name<'t>(input: &mut Input<'t>) -> Result<&'t str, Stop> {
    let first = |character: char| character.is_alphabetic() || matches!(character, '_' | '$');
    (one_of(first), take_while(0.., |character: char| character.is_alphanumeric() || character == '_')).take().parse_next(input)
}

/// The type of the literals that begin with this word and a quote.
fn prefixed(word: &str) -> Option<Type> {
    match word.to_ascii_lowercase().as_str() {
        "datetime" => Some(Type::DateTime),
        "datetimeoffset" => Some(Type::DateTimeOffset),
        "time" => Some(Type::Time),
        "guid" => Some(Type::Guid),
        "binary" | "x" => Some(Type::Binary),
        _ => None,
    }
}

fn named(word: &str) -> Kind {
    match word {
        "null" => Kind::Literal(Type::Null),
        "true" | "false" => Kind::Literal(Type::Boolean),
        "INF" | "NaN" => Kind::Literal(Type::Double),
        "INFf" | "NaNf" => Kind::Literal(Type::Single),
        _ => Kind::Word,
    }
}

impl<I: Stream> ParserError<I> for Stop {
    type Inner = Self;

    fn from_input(_: &I) -> Self {
        Self::Backtrack
    }

    fn is_backtrack(&self) -> bool {
        matches!(self, Self::Backtrack)
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}
