//! A second evaluator, written without the first: it keeps a sequence of operands and operators as it is written, and to evaluate it
//! splits it at its loosest operator, the last of those. Integers are 64 bits wide and calculated in 128.

/// Operands with operators between them.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    pub(crate) first: Operand,
    pub(crate) rest: Vec<(&'static str, Operand)>,
}

/// What stands between operators.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Null,
    Integer(i64),
    Boolean(bool),
    Text(String),
    /// A property of the schema of every type, and what it is.
    Property(&'static str, Kind, Naive),
    Group(Box<Sequence>),
    Not(Box<Operand>),
    Minus(Box<Operand>),
    Call(&'static str, Vec<Sequence>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Integer,
    Boolean,
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naive {
    Null,
    Integer(i64),
    Boolean(bool),
    Text(String),
}

const LEVELS: [&[&str]; 6] = [&["or"], &["and"], &["eq", "ne"], &["lt", "le", "gt", "ge"], &["add", "sub"], &["mul", "div", "mod"]];
pub(crate) const OPERATORS: [&str; 13] = ["or", "and", "eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "div", "mod"];
pub(crate) const FUNCTIONS: [(&str, usize); 10] = [
    ("substringof", 2),
    ("startswith", 2),
    ("endswith", 2),
    ("length", 1),
    ("indexof", 2),
    ("replace", 3),
    ("tolower", 1),
    ("toupper", 1),
    ("trim", 1),
    ("concat", 2),
];

impl Sequence {
    pub(crate) fn text(&self) -> String {
        let rest = self.rest.iter().map(|(operator, operand)| format!(" {operator} {}", operand.text()));
        self.first.text() + &rest.collect::<String>()
    }

    /// Its type and value; `None` if its types do not go together.
    pub(crate) fn value(&self) -> Option<(Kind, Naive)> {
        let mut operands = vec![&self.first];
        operands.extend(self.rest.iter().map(|(_, operand)| operand));
        let operators: Vec<&str> = self.rest.iter().map(|(operator, _)| *operator).collect();
        split(&operands, &operators)
    }
}

fn split(operands: &[&Operand], operators: &[&str]) -> Option<(Kind, Naive)> {
    for level in LEVELS {
        if let Some(at) = operators.iter().rposition(|operator| level.contains(operator)) {
            let left = split(&operands[..=at], &operators[..at])?;
            let right = split(&operands[at + 1..], &operators[at + 1..])?;
            return apply(operators[at], left, right);
        }
    }
    operands[0].value()
}

fn apply(operator: &str, left: (Kind, Naive), right: (Kind, Naive)) -> Option<(Kind, Naive)> {
    let kind = match (left.0, right.0) {
        (left, right) if left == right => left,
        (Kind::Null, other) | (other, Kind::Null) => other,
        _ => return None,
    };
    let has_null_type = left.0 == Kind::Null || right.0 == Kind::Null;
    let (left, right) = (left.1, right.1);
    let either_null = left == Naive::Null || right == Naive::Null;
    let kind_needed = |needed| if kind == needed || kind == Kind::Null { Some(()) } else { None };
    match operator {
        "and" | "or" => {
            kind_needed(Kind::Boolean)?;
            let decisive = Naive::Boolean(operator == "or");
            let value = if left == decisive || right == decisive {
                decisive
            } else if either_null {
                Naive::Null
            } else {
                Naive::Boolean(operator == "and")
            };
            Some((Kind::Boolean, value))
        }
        "eq" => Some((Kind::Boolean, Naive::Boolean(left == right))),
        "ne" => Some((Kind::Boolean, Naive::Boolean(left != right))),
        "lt" | "le" | "gt" | "ge" if has_null_type => None,
        "lt" | "le" | "gt" | "ge" => {
            let (less, equal) = match (&left, &right) {
                (Naive::Integer(left), Naive::Integer(right)) => (left < right, left == right),
                (Naive::Text(left), Naive::Text(right)) => (left < right, left == right),
                (Naive::Boolean(left), Naive::Boolean(right)) => (!left & right, left == right),
                _ => return Some((Kind::Boolean, Naive::Boolean(false))),
            };
            let holds = match operator {
                "lt" => less,
                "le" => less || equal,
                "gt" => !less && !equal,
                _ => !less,
            };
            Some((Kind::Boolean, Naive::Boolean(holds)))
        }
        _ => {
            kind_needed(Kind::Integer)?;
            let (Naive::Integer(left), Naive::Integer(right)) = (left, right) else { return Some((kind, Naive::Null)) };
            let (left, right) = (i128::from(left), i128::from(right));
            let result = match operator {
                "add" => left + right,
                "sub" => left - right,
                "mul" => left * right,
                _ if right == 0 => return Some((kind, Naive::Null)),
                // .NET throws for the remainder of what does not divide.
                "mod" if left == i128::from(i64::MIN) && right == -1 => return Some((kind, Naive::Null)),
                "div" => left / right,
                _ => left % right,
            };
            Some((kind, i64::try_from(result).map_or(Naive::Null, Naive::Integer)))
        }
    }
}

impl Operand {
    fn text(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Integer(number) => format!("{number}L"),
            Self::Boolean(value) => value.to_string(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Property(name, ..) => (*name).into(),
            Self::Group(inner) => format!("({})", inner.text()),
            Self::Not(operand) => format!("not {}", operand.text()),
            // A sign before digits would be theirs, which differs for the least integer alone.
            Self::Minus(operand) => match **operand {
                Self::Integer(_) => format!("-({})", operand.text()),
                _ => format!("- {}", operand.text()),
            },
            Self::Call(name, arguments) => {
                let call = format!("{name}({})", arguments.iter().map(Sequence::text).collect::<Vec<_>>().join(","));
                // Widened, as integers here have 64 bits.
                if matches!(*name, "length" | "indexof") { format!("({call} add 0L)") } else { call }
            }
        }
    }

    fn value(&self) -> Option<(Kind, Naive)> {
        Some(match self {
            Self::Null => (Kind::Null, Naive::Null),
            Self::Integer(number) => (Kind::Integer, Naive::Integer(*number)),
            Self::Boolean(value) => (Kind::Boolean, Naive::Boolean(*value)),
            Self::Text(text) => (Kind::Text, Naive::Text(text.clone())),
            Self::Property(_, kind, value) => (*kind, value.clone()),
            Self::Group(inner) => inner.value()?,
            Self::Not(operand) => match operand.value()? {
                (Kind::Boolean, Naive::Boolean(value)) => (Kind::Boolean, Naive::Boolean(!value)),
                (kind @ (Kind::Boolean | Kind::Null), _) => (kind, Naive::Null),
                _ => return None,
            },
            Self::Minus(operand) => match operand.value()? {
                (Kind::Integer, Naive::Integer(number)) => (Kind::Integer, number.checked_neg().map_or(Naive::Null, Naive::Integer)),
                (kind @ (Kind::Integer | Kind::Null), _) => (kind, Naive::Null),
                _ => return None,
            },
            Self::Call(name, arguments) => call(name, arguments)?,
        })
    }
}

fn call(name: &str, arguments: &[Sequence]) -> Option<(Kind, Naive)> {
    let mut texts = Vec::new();
    for argument in arguments {
        match argument.value()? {
            (Kind::Text, Naive::Text(text)) => texts.push(Some(text)),
            (Kind::Text | Kind::Null, _) => texts.push(None),
            _ => return None,
        }
    }
    let kind = match name {
        "substringof" | "startswith" | "endswith" => Kind::Boolean,
        "length" | "indexof" => Kind::Integer,
        _ => Kind::Text,
    };
    let Some(texts) = texts.into_iter().collect::<Option<Vec<_>>>() else { return Some((kind, Naive::Null)) };
    let places = |whole: &str, part: &str| (0..=whole.len()).find(|at| whole.is_char_boundary(*at) && whole[*at..].starts_with(part));
    let value = match (name, texts.as_slice()) {
        ("substringof", [part, whole]) => Naive::Boolean(places(whole, part).is_some()),
        ("startswith", [whole, part]) => Naive::Boolean(whole.len() >= part.len() && whole.as_bytes()[..part.len()] == *part.as_bytes()),
        ("endswith", [whole, part]) => {
            Naive::Boolean(whole.len() >= part.len() && whole.as_bytes()[whole.len() - part.len()..] == *part.as_bytes())
        }
        ("length", [text]) => Naive::Integer(text.chars().map(|character| character.len_utf16() as i64).sum()),
        ("indexof", [whole, part]) => {
            let units = |at: usize| whole[..at].chars().map(|character| character.len_utf16() as i64).sum();
            Naive::Integer(places(whole, part).map_or(-1, units))
        }
        ("replace", [_, find, _]) if find.is_empty() => Naive::Null,
        ("replace", [text, find, by]) => Naive::Text(text.split(find.as_str()).collect::<Vec<_>>().join(by)),
        ("tolower", [text]) => Naive::Text(text.to_lowercase()),
        ("toupper", [text]) => Naive::Text(text.to_uppercase()),
        ("trim", [text]) => Naive::Text(text.trim().into()),
        ("concat", [left, right]) => Naive::Text(format!("{left}{right}")),
        _ => return None,
    };
    Some((kind, value))
}
