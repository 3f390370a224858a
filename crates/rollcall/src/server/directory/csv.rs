//! One half of a directory as CSV: a header line, and a line for each entry.

use crate::server::refusal::Refusal;
use csv::{ReaderBuilder, StringRecord};
use rollcall_engine::ingest::{Charset, Separator, utf8};
use rollcall_model::UserKind;
use rollcall_model::directory::{Department, User};
use std::io::Read;
use std::str::Utf8Error;

/// The columns of users, those first that every file has.
const USER: &[&str] = &["id", "name", "open_id", "union_id", "user_id", "kind", "departments", "from", "until"];

/// The columns of departments.
const DEPARTMENT: &[&str] = &["id", "name", "parent_id", "from", "until"];

/// How many of the columns every file has.
const REQUIRED: usize = 2;

/// The users of a file.
pub(super) fn users(text: &str) -> Result<Vec<User>, Refusal> {
    records(text, USER, user)
}

/// The departments of a file.
pub(super) fn departments(text: &str) -> Result<Vec<Department>, Refusal> {
    records(text, DEPARTMENT, department)
}

/// The text of a file; `charset` says what it is in if it has no byte order mark.
pub(super) fn text(bytes: &[u8], charset: Option<Charset>) -> Result<String, Refusal> {
    let mut text = Vec::new();
    let read = utf8(Box::new(bytes), charset).and_then(|mut reader| reader.read_to_end(&mut text));
    read.map_err(|error| Refusal::bad_request(format!("the file: {error}")))?;
    String::from_utf8(text).map_err(|error| not_utf8(error.as_bytes(), error.utf8_error()))
}

/// One record of a file, column by column.
struct Record<'a> {
    head: &'a StringRecord,
    line: &'a StringRecord,
}

impl Record<'_> {
    fn optional(&self, column: &str) -> Option<String> {
        let value = self.line.get(self.head.iter().position(|name| name == column)?)?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn required(&self, column: &str) -> Result<String, String> {
        self.optional(column).ok_or_else(|| format!("{column} is missing"))
    }

    fn day(&self, column: &str) -> Result<Option<jiff::civil::Date>, String> {
        let Some(text) = self.optional(column) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{column} {text}: expected a day such as 2025-03-01"))
    }
}

fn user(record: &Record<'_>) -> Result<User, String> {
    let kind = record.optional("kind");
    let kind = match &kind {
        None => UserKind::Member,
        Some(name) => UserKind::from_name(name).ok_or_else(|| format!("kind {name}: expected member, guest, room or phone"))?,
    };
    let departments = record.optional("departments");
    Ok(User {
        id: record.required("id")?,
        open_id: record.optional("open_id"),
        union_id: record.optional("union_id"),
        user_id: record.optional("user_id"),
        name: record.required("name")?,
        kind,
        departments: departments.iter().flat_map(|joined| joined.split('|')).map(Into::into).collect(),
        from: record.day("from")?,
        until: record.day("until")?,
    })
}

fn department(record: &Record<'_>) -> Result<Department, String> {
    Ok(Department {
        id: record.required("id")?,
        parent_id: record.optional("parent_id"),
        name: record.required("name")?,
        from: record.day("from")?,
        until: record.day("until")?,
    })
}

fn records<T>(text: &str, columns: &[&str], read: impl Fn(&Record<'_>) -> Result<T, String>) -> Result<Vec<T>, Refusal> {
    let (separator, start) = header_of(text);
    let table = text.get(start..).unwrap_or_default();
    let mut csv = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(table.as_bytes());
    let mut head = csv.headers().map_err(|error| Refusal::bad_request(format!("the header: {error}")))?.clone();
    // Those at the end that have no name are columns too, as long as they have no values.
    let width = head.len();
    head.truncate(filled(&head));
    check_header(&head, columns)?;
    let mut found = Vec::new();
    let mut line = StringRecord::new();
    loop {
        match csv.read_record(&mut line) {
            Ok(false) => return Ok(found),
            Err(error) => return Err(Refusal::bad_request(error.to_string())),
            Ok(true) => {}
        }
        // Spreadsheets write empty rows below a table, and empty values beyond its last column.
        let count = filled(&line);
        if count == 0 {
            continue;
        }
        let entry = if head.len() < count && count <= width {
            Err(format!("expected no value after column {}: column {count} has no name", head.len()))
        } else if head.len() < count || line.len() < head.len() {
            Err(format!("expected {} values, as many as the header has, not {}", head.len(), count.max(line.len().min(head.len()))))
        } else {
            read(&Record { head: &head, line: &line })
        };
        found.push(entry.map_err(|message| {
            let before = start + line.position().map_or(0, |position| position.byte() as usize);
            Refusal::bad_request(format!("line {}: {message}", line_at(text, before)))
        })?);
    }
}

/// What separates the columns, and where the header begins.
fn header_of(text: &str) -> (u8, usize) {
    let (mut separator, mut start) = (Separator::default(), 0);
    for line in text.split_inclusive('\n') {
        if !separator.is_before_header(line.as_bytes()) {
            return (separator.of(line.as_bytes()), start);
        }
        start += line.len();
    }
    (b',', start)
}

/// How many values a record has up to the last that is not empty.
fn filled(record: &StringRecord) -> usize {
    record.len() - record.iter().rev().take_while(|value| value.trim().is_empty()).count()
}

/// The number of the line of the record that the library says begins at a byte: it counts the line ends before a record to it.
fn line_at(text: &str, byte: usize) -> usize {
    let (before, record) = text.split_at_checked(byte).unwrap_or((text, ""));
    let ends = record.len() - record.trim_start_matches(['\r', '\n']).len();
    let lines = |text: &str| text.matches('\n').count();
    lines(before) + lines(record.get(..ends).unwrap_or_default()) + 1
}

/// Refuses a header with everything that is wrong with it. An empty file has none.
fn check_header(head: &StringRecord, columns: &[&str]) -> Result<(), Refusal> {
    if head.is_empty() {
        return Ok(());
    }
    let mut wrong = Vec::new();
    for (position, name) in head.iter().enumerate() {
        if name.trim().is_empty() {
            wrong.push(format!("column {} has no name", position + 1));
        } else if !columns.contains(&name) {
            wrong.push(format!("column {}: no such column", name.chars().take(80).collect::<String>()));
        } else if head.iter().take(position).any(|earlier| earlier == name) {
            wrong.push(format!("column {name} is there twice"));
        }
        // A line that is no header may have any number of values.
        if wrong.len() > columns.len() {
            break;
        }
    }
    let missing = columns.iter().take(REQUIRED).filter(|column| !head.iter().any(|name| name == **column));
    wrong.extend(missing.map(|column| format!("column {column} is missing")));
    if wrong.is_empty() {
        return Ok(());
    }
    let expected = format!("expected a header line with {}", columns.join(", "));
    Err(Refusal::bad_request(format!("the header: {}; {expected}, of which id and name are required", wrong.join("; "))))
}

fn not_utf8(bytes: &[u8], error: Utf8Error) -> Refusal {
    let line = bytes.get(..error.valid_up_to()).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() + 1;
    Refusal::bad_request(format!(
        "line {line}: is not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8), or say what it is in, such as text/csv; charset=gb18030"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_from_two_csv_files() {
        let read = users("id,name,kind,departments,from\nu1,Ann,,a|b,2025-03-01\nr1,Room,room,,\n").unwrap();
        assert_eq!(read[0].departments, ["a", "b"]);
        assert_eq!(read[1].kind, UserKind::Room);
        assert_eq!((read[0].from, read[1].from), (Some(jiff::civil::date(2025, 3, 1)), None));
        let departments = departments("id,parent_id,name,from\na,,A,\nb,a,B,2025-03-01\n").unwrap();
        assert_eq!(departments[1].parent_id.as_deref(), Some("a"));
        assert_eq!(departments[1].from, read[0].from);
    }

    #[test]
    fn a_file_may_come_from_a_spreadsheet() {
        let plain = users("id,name,departments\nu1,\"A, B\",a|b\nu2,C,\n").unwrap();
        for text in [
            "id;name;departments\r\nu1;A, B;a|b\r\nu2;C;\r\n;;\r\n",
            "id\tname\tdepartments\nu1\tA, B\ta|b\n\t \t\nu2\tC\t\n",
            "id,name,departments\nu1,\"A, B\",a|b\nu2,C,\n,,\n\n,,\n",
            "id,name,departments\nu1,\"A, B\",a|b,,\nu2,C,, \n,\n,,,,,\n",
            "id,name,departments,, \nu1,\"A, B\",a|b\nu2,C,,,\n",
            "sep=;\r\nid;name;departments\r\nu1;A, B;a|b\r\nu2;C;\r\n",
            ",,\n\nid,name,departments\nu1,\"A, B\",a|b\nu2,C,\n",
        ] {
            assert_eq!(users(text).unwrap(), plain, "{text}");
        }
        assert_eq!(users("").unwrap(), users("id,name\n,\n").unwrap());
    }

    #[test]
    fn a_file_may_be_in_another_encoding() {
        let utf16: Vec<u8> = "\u{feff}id,name\nu,林\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let gb18030 = Charset::from_name("gb18030");
        for (bytes, charset) in [
            ("\u{feff}id,name\nu,林\n".as_bytes(), None),
            (&utf16, None),
            (b"id,name\nu,\xc1\xd6\n", gb18030),
            (b"id,name\nu,\xe6\x9e\x97\n", None),
        ] {
            assert_eq!(text(bytes, charset).unwrap(), "id,name\nu,林\n");
        }
        let refused = |bytes: &[u8], charset| format!("{:?}", text(bytes, charset).unwrap_err());
        assert!(refused(b"id,name\nu1,A\nu2,\xc1\xd6\n", None).contains("line 3: is not UTF-8; save the file as UTF-8"));
        assert!(refused(&utf16[2..], None).contains("the file: expected UTF-8 text"));
        assert!(refused(b"id,name\nu,\xff\n", gb18030).contains("expected gb18030 text without invalid bytes"));
    }

    #[test]
    fn what_is_wrong_in_a_csv_file_is_named_with_its_line() {
        let refused = |text: &str| format!("{:?}", users(text).unwrap_err());
        assert!(refused("id,name\nu1,\n").contains("line 2: name is missing"));
        assert!(refused("id,name,kind\nu1,A,member\nu2,B,boss\n").contains("line 3: kind boss: expected member"));
        assert!(refused("id,name,from\nu1,A,\nu1,A,2025-02-30\n").contains("line 3: from 2025-02-30: expected a day such as 2025-03-01"));
        assert!(refused("id,name\nu1,A\nu2\n").contains("line 3: expected 2 values, as many as the header has, not 1"));
        assert!(refused("id,name\nu1,A\nu2,B,,x,\n").contains("line 3: expected 2 values, as many as the header has, not 4"));
        assert!(refused("id,name,,\nu1,A,x,\n").contains("line 2: expected no value after column 2: column 3 has no name"));
        assert!(refused("id,,name\nu1,,A\n").contains("the header: column 2 has no name"));
        // Whatever the line ends, and whatever stands before it.
        for end in ["\n", "\r\n"] {
            let text = ["sep=,", ",,", "id,name", "", "\"u", "1\",A", "", ",,", "u2", ""].join(end);
            assert!(refused(&text).contains("line 9: expected 2 values, as many as the header has, not 1"), "{}", refused(&text));
        }
    }

    #[test]
    fn everything_wrong_with_a_header_is_told_at_once() {
        let told = format!("{:?}", users("ID,color,kind,kind\n").unwrap_err());
        for wrong in [
            "column ID: no such column",
            "column color: no such column",
            "column kind is there twice",
            "column id is missing",
            "column name is missing",
            "expected a header line with id, name, open_id",
        ] {
            assert!(told.contains(wrong), "{told}");
        }
        let long = format!("{:?}", departments(&"x,".repeat(10_000)).unwrap_err());
        assert!(long.len() < 1_000, "{long}");
    }
}
