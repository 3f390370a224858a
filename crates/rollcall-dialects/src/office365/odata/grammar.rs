//! The grammar of `$filter` and `$orderby`, one function for each of its rules, from the loosest operator to the tightest.

use super::errors::{self, At, ODataError};
use super::lexer::{self, Kind, Token};
use super::{BinaryOperator, Type, UnaryOperator, Value, literal};
use BinaryOperator::{
    Add, And, Divide, Equal, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual, Modulo, Multiply, NotEqual, Or, Subtract,
};
use winnow::Parser;
use winnow::combinator::{alt, opt, peek, preceded, separated};
use winnow::error::ParserError;
use winnow::stream::{Stateful, Stream, TokenSlice};
use winnow::token::any;

/// An expression as it is written; what its names mean is not yet known.
#[derive(Debug)]
pub(super) enum Syntax<'t> {
    Literal(Value),
    /// A name, and where the token behind it starts.
    Name(&'t str, usize),
    /// A member of something; members of that are not kept, as nothing has any.
    Member(Box<Syntax<'t>>, &'t str),
    Call(&'t str, Vec<Syntax<'t>>),
    Unary(UnaryOperator, Box<Syntax<'t>>),
    Binary(BinaryOperator, Box<Syntax<'t>>, Box<Syntax<'t>>),
}

/// Reads a `$filter`.
pub(super) fn filter(text: &str, depth: usize) -> Result<Syntax<'_>, ODataError> {
    read(text, depth, errors::filter_not_boolean(), expression)
}

/// Reads an `$orderby`: expressions, and whether each is descending.
pub(super) fn orderby(text: &str, depth: usize) -> Result<Vec<(Syntax<'_>, bool)>, ODataError> {
    read(text, depth, errors::orderby_not_primitive(), terms)
}

/// Reads all of a text. A lone `*`, the entity itself, is answered with the error given.
fn read<'t, T>(
    text: &'t str,
    depth: usize,
    entity: ODataError,
    parser: fn(&mut Input<'_, 't>) -> Result<T, Failure>,
) -> Result<T, ODataError> {
    let tokens = lexer::tokens(text);
    if let [Token { kind: Kind::Star, .. }, Token { kind: Kind::End, .. }] = tokens.as_slice() {
        return Err(entity);
    }
    let mut input = Stateful { input: TokenSlice::new(&tokens), state: State { text, depth: 0, limit: depth } };
    let result = parser(&mut input).and_then(|result| match peek(opt(kind(Kind::End))).parse_next(&mut input)? {
        Some(()) => Ok(result),
        None => expected(&input, errors::syntax, Token::end),
    });
    result.map_err(|failure| match failure {
        Failure::Backtrack => errors::syntax(At { text, byte: text.len() }),
        Failure::Refused(error) => error,
    })
}

/// `terms = expression [ "asc" / "desc" ] *( "," expression [ "asc" / "desc" ] )`
fn terms<'t>(input: &mut Input<'_, 't>) -> Result<Vec<(Syntax<'t>, bool)>, Failure> {
    separated(1.., (expression, direction), kind(Kind::Comma)).parse_next(input)
}

/// Whether it is descending.
fn direction(input: &mut Input<'_, '_>) -> Result<bool, Failure> {
    opt(alt((keyword("asc").value(false), keyword("desc").value(true)))).map(Option::unwrap_or_default).parse_next(input)
}

/// `expression = or`
fn expression<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    // One for each rule from here to `primary`.
    deeper(8, input, or)
}

/// `or = and *( "or" and )`
fn or<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    left_associative(input, &[Or], and)
}

/// `and = equality *( "and" equality )`
fn and<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    left_associative(input, &[And], equality)
}

/// `equality = relation *( ("eq" / "ne") relation )`
fn equality<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    left_associative(input, &[Equal, NotEqual], relation)
}

/// `relation = sum *( ("lt" / "le" / "gt" / "ge") sum )`
fn relation<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    left_associative(input, &[LessThan, LessThanOrEqual, GreaterThan, GreaterThanOrEqual], sum)
}

/// `sum = product *( ("add" / "sub") product )`
fn sum<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    left_associative(input, &[Add, Subtract], product)
}

/// `product = unary *( ("mul" / "div" / "mod") unary )`
fn product<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    left_associative(input, &[Multiply, Divide, Modulo], unary)
}

/// `unary = ( "-" / "not" ) unary / primary`
fn unary<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    if opt(keyword("not")).parse_next(input)?.is_some() {
        return Ok(Syntax::Unary(UnaryOperator::Not, Box::new(deeper(1, input, unary)?)));
    }
    let Some(sign) = opt(token(Kind::Minus)).parse_next(input)? else { return primary(input) };
    // The sign belongs to a number that follows it, though there is space between them.
    let number = any.verify_map(|token: &Token<'t>| match token.kind {
        Kind::Literal(kind) if token.text.starts_with(|first: char| first.is_ascii_digit()) => Some((kind, token.text)),
        _ => None,
    });
    match opt(number).parse_next(input)? {
        Some((kind, text)) => constant_of(kind, &format!("-{text}"), At { text: input.state.text, byte: sign.start }),
        None => Ok(Syntax::Unary(UnaryOperator::Negate, Box::new(deeper(1, input, unary)?))),
    }
}

/// `primary = ( literal / call / name / "(" expression ")" ) *( "/" name )`
fn primary<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    let Some(mut whole) = opt(alt((constant, call, name, group))).parse_next(input)? else {
        return expected(input, errors::expression_expected, Token::start);
    };
    let mut members = 0;
    while opt(kind(Kind::Slash)).parse_next(input)?.is_some() {
        let Some(member) = opt(word).parse_next(input)? else { return expected(input, errors::syntax, Token::end) };
        if members == 0 {
            whole = Syntax::Member(Box::new(whole), member);
        }
        members += 1;
    }
    Ok(whole)
}

fn constant<'s, 't>(input: &mut Input<'s, 't>) -> Parsed<'t> {
    let literal = |token: &'s Token<'t>| if let Kind::Literal(kind) = token.kind { Some((kind, token)) } else { None };
    let (kind, token) = any.verify_map(literal).parse_next(input)?;
    constant_of(kind, token.text, At { text: input.state.text, byte: token.start })
}

fn constant_of<'t>(kind: Type, text: &str, at: At<'_>) -> Parsed<'t> {
    let unrecognized = |kind| Failure::Refused(errors::unrecognized_literal(kind, text, at));
    literal::read(kind, text).map(Syntax::Literal).map_err(unrecognized)
}

fn name<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    let name = word.parse_next(input)?;
    Ok(Syntax::Name(name, peek(any).parse_next(input)?.start))
}

/// `call = name "(" [ expression *( "," expression ) ] ")"`
fn call<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    let (name, ()) = (word, kind(Kind::Open)).parse_next(input)?;
    if matches!(name, "isof" | "cast") {
        return Err(Failure::Refused(errors::unsupported_function(name)));
    }
    if opt(kind(Kind::Close)).parse_next(input)?.is_some() {
        return Ok(Syntax::Call(name, Vec::new()));
    }
    let arguments = separated(1.., expression, kind(Kind::Comma)).parse_next(input)?;
    match opt(kind(Kind::Close)).parse_next(input)? {
        Some(()) => Ok(Syntax::Call(name, arguments)),
        None => expected(input, errors::close_or_comma_expected, Token::start),
    }
}

fn group<'t>(input: &mut Input<'_, 't>) -> Parsed<'t> {
    let inner = preceded(kind(Kind::Open), expression).parse_next(input)?;
    match opt(kind(Kind::Close)).parse_next(input)? {
        Some(()) => Ok(inner),
        None => expected(input, errors::close_or_operator_expected, Token::start),
    }
}

/// Operands with operators of one level between them, which gather from the left.
fn left_associative<'t>(input: &mut Input<'_, 't>, level: &[BinaryOperator], operand: fn(&mut Input<'_, 't>) -> Parsed<'t>) -> Parsed<'t> {
    let mut whole = operand(input)?;
    while let Some(operator) = opt(operator_of(level)).parse_next(input)? {
        whole = Syntax::Binary(operator, Box::new(whole), Box::new(operand(input)?));
    }
    Ok(whole)
}

fn operator_of<'s, 't: 's>(level: &[BinaryOperator]) -> impl Parser<Input<'s, 't>, BinaryOperator, Failure> {
    any.verify_map(move |token: &Token<'t>| {
        let word = (token.kind == Kind::Word).then_some(token.text)?;
        level.iter().copied().find(|operator| operator.keyword() == word)
    })
}

fn word<'t>(input: &mut Input<'_, 't>) -> Result<&'t str, Failure> {
    token(Kind::Word).map(|token| token.text).parse_next(input)
}

fn keyword<'s, 't: 's>(keyword: &'static str) -> impl Parser<Input<'s, 't>, (), Failure> {
    any.verify(move |token: &&Token<'t>| token.kind == Kind::Word && token.text == keyword).void()
}

fn kind<'s, 't: 's>(kind: Kind) -> impl Parser<Input<'s, 't>, (), Failure> {
    token(kind).void()
}

fn token<'s, 't: 's>(kind: Kind) -> impl Parser<Input<'s, 't>, &'s Token<'t>, Failure> {
    any.verify(move |token: &&Token<'t>| token.kind == kind)
}

/// Parses one level deeper, if the limit allows it.
fn deeper<'s, 't, T>(
    by: usize,
    input: &mut Input<'s, 't>,
    parser: impl FnOnce(&mut Input<'s, 't>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    input.state.depth += by;
    if input.state.depth > input.state.limit {
        return Err(Failure::Refused(errors::too_deep()));
    }
    let parsed = parser(input)?;
    input.state.depth -= by;
    Ok(parsed)
}

/// The error that something else was expected than the token that comes.
fn expected<'t, T>(input: &Input<'_, 't>, error: fn(At<'_>) -> ODataError, place: fn(&Token<'t>) -> usize) -> Result<T, Failure> {
    let token = input.input.first().ok_or(Failure::Backtrack)?;
    Err(Failure::Refused(match &token.kind {
        Kind::Broken(broken) => broken.clone(),
        _ => error(At { text: input.state.text, byte: place(token) }),
    }))
}

type Input<'s, 't> = Stateful<TokenSlice<'s, Token<'t>>, State<'t>>;
type Parsed<'t> = Result<Syntax<'t>, Failure>;

#[derive(Debug)]
struct State<'t> {
    text: &'t str,
    depth: usize,
    limit: usize,
}

#[derive(Debug)]
enum Failure {
    /// Something else may be here.
    Backtrack,
    /// Nothing else may be here.
    Refused(ODataError),
}

impl<I: Stream> ParserError<I> for Failure {
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
