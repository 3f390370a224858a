//! Types and values.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;
use std::fmt;
use uuid::Uuid;

/// A primitive type of the Entity Data Model; displayed as its name, such as `Edm.Int64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// That of the literal `null` and of what is always null.
    Null,
    /// `Edm.Boolean`.
    Boolean,
    /// `Edm.Byte`.
    Byte,
    /// `Edm.SByte`.
    SByte,
    /// `Edm.Int16`.
    Int16,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Int64`.
    Int64,
    /// `Edm.Single`.
    Single,
    /// `Edm.Double`.
    Double,
    /// `Edm.Decimal`.
    Decimal,
    /// `Edm.String`.
    String,
    /// `Edm.DateTime`.
    DateTime,
    /// `Edm.DateTimeOffset`.
    DateTimeOffset,
    /// `Edm.Time`.
    Time,
    /// `Edm.Guid`.
    Guid,
    /// `Edm.Binary`.
    Binary,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<null>"),
            kind => write!(f, "Edm.{kind:?}"),
        }
    }
}

/// A value of a property or of an expression; displayed as the literal that gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// An integer of 8 bits without a sign.
    Byte(u8),
    /// An integer of 8 bits.
    SByte(i8),
    /// An integer of 16 bits.
    Int16(i16),
    /// An integer of 32 bits.
    Int32(i32),
    /// An integer of 64 bits.
    Int64(i64),
    /// A number of 32 bits with a floating point.
    Single(f32),
    /// A number of 64 bits with a floating point.
    Double(f64),
    /// A decimal number, as .NET has it.
    Decimal(Decimal),
    /// Text.
    String(String),
    /// A date and time without a zone.
    DateTime(civil::DateTime),
    /// A date and time with its offset.
    DateTimeOffset(DateTimeOffset),
    /// A length of time.
    Time(SignedDuration),
    /// A GUID.
    Guid(Uuid),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Boolean(_) => Type::Boolean,
            Self::Byte(_) => Type::Byte,
            Self::SByte(_) => Type::SByte,
            Self::Int16(_) => Type::Int16,
            Self::Int32(_) => Type::Int32,
            Self::Int64(_) => Type::Int64,
            Self::Single(_) => Type::Single,
            Self::Double(_) => Type::Double,
            Self::Decimal(_) => Type::Decimal,
            Self::String(_) => Type::String,
            Self::DateTime(_) => Type::DateTime,
            Self::DateTimeOffset(_) => Type::DateTimeOffset,
            Self::Time(_) => Type::Time,
            Self::Guid(_) => Type::Guid,
            Self::Binary(_) => Type::Binary,
        }
    }
}

/// A date and time with its offset from UTC. Two compare by their instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTimeOffset {
    instant: Timestamp,
    offset: Offset,
}

impl DateTimeOffset {
    /// The wall-clock time at an offset; `None` beyond the years that instants have.
    pub fn new(local: civil::DateTime, offset: Offset) -> Option<Self> {
        Some(Self { instant: offset.to_timestamp(local).ok()?, offset })
    }

    /// The instant.
    pub fn instant(self) -> Timestamp {
        self.instant
    }

    /// The wall-clock time.
    pub fn local(self) -> civil::DateTime {
        self.offset.to_datetime(self.instant)
    }

    /// The offset.
    pub fn offset(self) -> Offset {
        self.offset
    }
}
