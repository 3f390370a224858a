//! Every documented text, with its position.

use crate::stage::{EVERY, REPORT, matches, refused};
use rollcall_dialects::office365::odata::{Filter, Limits, OrderBy};

#[track_caller]
fn check(text: &str, message: &str) {
    assert_eq!(refused(text), message);
}

/// The same, for a message that ends in the text.
#[track_caller]
fn check_at(text: &str, message: &str) {
    assert_eq!(refused(text), format!("{message} in '{text}'."));
}

#[test]
fn syntax() {
    check_at("Date xx 5", "Syntax error at position 7");
    check_at("ID eq 1 2", "Syntax error at position 9");
    check_at("Date = 5", "Syntax error at position 6");
    check_at("ID eq 1)", "Syntax error at position 8");
    check_at("ID EQ 1", "Syntax error at position 5");
    check_at("ID in (1)", "Syntax error at position 5");
    check_at("ID/1 eq 1", "Syntax error at position 4");
    check_at("ID eq 5 -3", "Syntax error at position 10");
}

#[test]
fn characters() {
    check_at("ID eq #", "Syntax error: character '#' is not valid at position 6");
    check_at("ID eq 1 & 2", "Syntax error: character '&' is not valid at position 8");
    // Units of UTF-16 count, and what is wrong first counts.
    check_at("'😀' eq ;", "Syntax error: character ';' is not valid at position 8");
    check_at("Date xx 5 ;", "Syntax error at position 7");
}

#[test]
fn expected() {
    check_at("", "Expression expected at position 0");
    check_at("ID eq", "Expression expected at position 5");
    check_at("ID eq )", "Expression expected at position 6");
    check_at("not", "Expression expected at position 3");
    check_at("length(,)", "Expression expected at position 7");
    check_at("(1) eq *", "Expression expected at position 7");
    check_at("year eq 2013", "'(' expected at position 5");
    check_at("length('a' eq 1", "')' or ',' expected at position 15");
    check_at("length('a' 'b')", "')' or ',' expected at position 11");
    check_at("(ID eq 1", "')' or operator expected at position 8");
    check_at("(ID eq 1 1)", "')' or operator expected at position 9");
}

#[test]
fn unterminated() {
    check_at("TenantName eq 'a", "There is an unterminated string literal at position 16");
    check_at("TenantName eq 'a''", "There is an unterminated string literal at position 18");
    check_at("Date eq datetime'2013", "There is an unterminated literal at position 21");
    check_at("ID eq 1.", "A digit was expected at position 8");
    check_at("ID eq 1.x", "A digit was expected at position 8");
    check_at("ID eq 1e+", "A digit was expected at position 9");
}

#[test]
fn unrecognized_literals() {
    for (kind, literal) in [
        ("DateTime", "datetime'2013-05-01'"),
        ("DateTime", "DateTime'2013-13-01T00:00:00'"),
        ("DateTime", "datetime'2013-05-01T00:00:00.12345678'"),
        ("DateTime", "datetime'0000-05-01T00:00:00'"),
        ("DateTimeOffset", "datetimeoffset'2013-05-01T00:00:00+15:00'"),
        ("DateTimeOffset", "datetimeoffset'x'"),
        ("Time", "time'P'"),
        ("Time", "time'P1DT'"),
        ("Time", "time'25:00:00'"),
        ("Time", "time'P99999999999999D'"),
        ("Guid", "guid'16a58f78'"),
        ("Guid", "guid'16a58f78539f47f7b9bf02a63867d73b'"),
        ("Binary", "X'ABC'"),
        ("Binary", "binary'XY'"),
        ("Int64", "99999999999999999999"),
        ("Int64", "-9223372036854775809L"),
        ("Double", "1e999"),
        ("Single", "1e99f"),
        ("Decimal", "79228162514264337593543950336m"),
    ] {
        check_at(&format!("ID eq {literal}"), &format!("Unrecognized 'Edm.{kind}' literal '{literal}' at '6'"));
    }
    // The sign belongs to the number, and the literal is refused where it stands.
    check("ID eq - 1e999", "Unrecognized 'Edm.Double' literal '-1e999' at '6' in 'ID eq - 1e999'.");
}

#[test]
fn operands() {
    for (text, left, right, operator) in [
        ("Date gt '2013-05-01'", "Edm.DateTime", "Edm.String", "GreaterThan"),
        ("ID eq 'a'", "Edm.Int64", "Edm.String", "Equal"),
        ("ID ne TenantGuid", "Edm.Int64", "Edm.Guid", "NotEqual"),
        ("'a' lt 1", "Edm.String", "Edm.Int32", "LessThan"),
        ("X'00' le X'00'", "Edm.Binary", "Edm.Binary", "LessThanOrEqual"),
        ("true ge 1", "Edm.Boolean", "Edm.Int32", "GreaterThanOrEqual"),
        ("ID and true", "Edm.Int64", "Edm.Boolean", "And"),
        ("ID or ID", "Edm.Int64", "Edm.Int64", "Or"),
        ("'a' add 'b' eq 'ab'", "Edm.String", "Edm.String", "Add"),
        ("Date sub Date eq 1", "Edm.DateTime", "Edm.DateTime", "Subtract"),
        ("1.0m mul 1.0 eq 1", "Edm.Decimal", "Edm.Double", "Multiply"),
        ("1f div 1m eq 1", "Edm.Single", "Edm.Decimal", "Divide"),
        ("true mod null eq 1", "Edm.Boolean", "<null>", "Modulo"),
    ] {
        check(
            text,
            &format!(
                "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator kind '{operator}'."
            ),
        );
    }
    for (text, operand, operator) in
        [("not ID gt 4", "Edm.Int64", "Not"), ("-TenantName eq 'a'", "Edm.String", "Negate"), ("-true", "Edm.Boolean", "Negate")]
    {
        check(
            text,
            &format!(
                "A unary operator with an incompatible type was detected. Found operand type '{operand}' for operator kind '{operator}'."
            ),
        );
    }
    for operator in ["lt", "gt", "le", "ge"] {
        let message = format!("The operator '{operator}' is not supported for the 'null' literal; only equality checks are supported.");
        check(&format!("ID {operator} null"), &message);
        check(&format!("null {operator} ID"), &message);
    }
}

#[test]
fn names() {
    check("Foo eq 1", "Could not find a property named 'Foo' on type 'TenantReporting.CsActiveUserReport'.");
    check("date eq 1", "Could not find a property named 'date' on type 'TenantReporting.CsActiveUserReport'.");
    check("Date/Year eq 1", "Could not find a property named 'Year' on type 'Edm.DateTime'.");
    check("Foo/Bar/Baz eq 1", "Could not find a property named 'Foo' on type 'TenantReporting.CsActiveUserReport'.");
    check(
        "foo(1)",
        "An unknown function with name 'foo' was found. This may also be a key lookup on a navigation property, which is not allowed.",
    );
    check(
        "Year(Date) eq 1",
        "An unknown function with name 'Year' was found. This may also be a key lookup on a navigation property, which is not allowed.",
    );
    for text in ["isof(Date, 'Edm.DateTime')", "isof('Edm.Int64')", "isof(", "not isof(Edm.Int64)"] {
        check(text, "The function 'isof' is not supported.");
    }
    check("cast(ID, 'Edm.Int32') eq 1", "The function 'cast' is not supported.");
}

#[test]
fn signatures() {
    let considered = |text: &str, name: &str, signatures: &str| {
        check(
            text,
            &format!(
                "No function signature for the function with name '{name}' matches the specified arguments. The function signatures considered are: {signatures}."
            ),
        );
    };
    considered("substringof('a')", "substringof", "substringof(Edm.String Nullable=true, Edm.String Nullable=true)");
    considered("length(ID) eq 1", "length", "length(Edm.String Nullable=true)");
    considered(
        "year('2013') eq 1",
        "year",
        "year(Edm.DateTime); year(Edm.DateTime Nullable=true); year(Edm.DateTimeOffset); year(Edm.DateTimeOffset Nullable=true)",
    );
    considered(
        "round('1') eq 1",
        "round",
        "round(Edm.Double); round(Edm.Double Nullable=true); round(Edm.Decimal); round(Edm.Decimal Nullable=true)",
    );
    considered(
        "substring(TenantName, 4L) eq ''",
        "substring",
        "substring(Edm.String Nullable=true, Edm.Int32); substring(Edm.String Nullable=true, Edm.Int32 Nullable=true); \
         substring(Edm.String Nullable=true, Edm.Int32, Edm.Int32); substring(Edm.String Nullable=true, Edm.Int32 Nullable=true, Edm.Int32); \
         substring(Edm.String Nullable=true, Edm.Int32, Edm.Int32 Nullable=true); \
         substring(Edm.String Nullable=true, Edm.Int32 Nullable=true, Edm.Int32 Nullable=true)",
    );
    considered("concat('a', 'b', 'c') eq ''", "concat", "concat(Edm.String Nullable=true, Edm.String Nullable=true)");
    considered("trim() eq ''", "trim", "trim(Edm.String Nullable=true)");
}

#[test]
fn results() {
    for text in ["ID", "1", "'a'", "ID add 1", "*"] {
        check(text, "The $filter expression must evaluate to a single boolean value.");
    }
    let order = |text: &str| OrderBy::parse(text, &Limits::default(), &REPORT).unwrap_err().message;
    assert_eq!(order("*"), "The $orderby expression must evaluate to a single value of primitive type.");
    assert_eq!(order("Foo"), "Could not find a property named 'Foo' on type 'TenantReporting.CsActiveUserReport'.");
    assert_eq!(order("Date up"), "Syntax error at position 7 in 'Date up'.");
    assert_eq!(order("Date desc,"), "Expression expected at position 10 in 'Date desc,'.");
    assert_eq!(order("Date desc asc"), "Syntax error at position 13 in 'Date desc asc'.");
}

const TOO_DEEP: &str = "Recursion depth exceeded allowed limit.";

#[test]
fn limits() {
    let nested = |open: &str, depth: usize, close: &str| format!("{}true{}", open.repeat(depth), close.repeat(depth));
    for (open, depth, close) in [("(", 99, ")"), ("not ", 792, "")] {
        let parse = |depth| Filter::parse(&nested(open, depth, close), &Limits::default(), &EVERY);
        assert!(matches(&parse(depth).unwrap(), &|_| rollcall_dialects::office365::odata::Value::Null), "{open} {depth}");
        assert_eq!(parse(depth + 1).unwrap_err().message, TOO_DEEP);
    }
    check(&nested("tolower(", 100, ")"), TOO_DEEP);
    check(&nested("(", 4000, ")"), TOO_DEEP);
    check(&nested("not ", 2000, ""), TOO_DEEP);
    let chain = |length: usize| vec!["ID eq 1"; length].join(" or ");
    assert!(Filter::parse(&chain(700), &Limits::default(), &REPORT).is_ok());
    let long = Limits { length: 1 << 20, ..Limits::default() };
    assert_eq!(Filter::parse(&chain(900), &long, &REPORT).unwrap_err().message, TOO_DEEP);
    check(&chain(900), "The expression is too long: at most 8192 bytes are allowed.");
    let error = OrderBy::parse(&"a".repeat(8193), &Limits::default(), &REPORT).unwrap_err();
    assert_eq!(error.message, "The expression is too long: at most 8192 bytes are allowed.");
}
