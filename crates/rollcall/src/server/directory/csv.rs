//! One half of a directory as CSV: a header line, and a line for each entry.

use crate::server::refusal::Refusal;
use csv::StringRecord;
use rollcall_model::UserKind;
use rollcall_model::directory::{Department, User};

/// One record of a CSV file, column by column. Reading takes a value out, so that what is left over was not expected.
pub(super) struct Record<'a> {
    values: Vec<(&'a str, &'a str)>,
}

impl Record<'_> {
    fn optional(&mut self, column: &str) -> Option<String> {
        let position = self.values.iter().position(|(name, _)| *name == column)?;
        let (_, value) = self.values.swap_remove(position);
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn required(&mut self, column: &str) -> Result<String, String> {
        self.optional(column).ok_or_else(|| format!("{column} is missing"))
    }

    fn day(&mut self) -> Result<Option<jiff::civil::Date>, String> {
        let Some(text) = self.optional("from") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("from {text}: expected a day such as 2025-03-01"))
    }
}

pub(super) fn user(record: &mut Record<'_>) -> Result<User, String> {
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
        from: record.day()?,
    })
}

pub(super) fn department(record: &mut Record<'_>) -> Result<Department, String> {
    Ok(Department {
        id: record.required("id")?,
        parent_id: record.optional("parent_id"),
        name: record.required("name")?,
        from: record.day()?,
    })
}

/// The records of a CSV file, each read by its columns.
pub(super) fn records<T>(bytes: &[u8], read: impl Fn(&mut Record<'_>) -> Result<T, String>) -> Result<Vec<T>, Refusal> {
    // Spreadsheets begin UTF-8 with a byte order mark.
    let mut csv = csv::Reader::from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let head = csv.headers().map_err(|error| Refusal::bad_request(format!("the header: {error}")))?.clone();
    let mut found = Vec::new();
    let mut line = StringRecord::new();
    loop {
        match csv.read_record(&mut line) {
            Ok(false) => return Ok(found),
            Err(error) => return Err(Refusal::bad_request(error.to_string())),
            Ok(true) => {}
        }
        let at = line.position().map_or(0, csv::Position::line);
        let mut record = Record { values: head.iter().zip(line.iter()).collect() };
        found.push(read(&mut record).map_err(|message| Refusal::bad_request(format!("line {at}: {message}")))?);
        if let Some((column, _)) = record.values.first() {
            return Err(Refusal::bad_request(format!("column {column}: no such column")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_from_two_csv_files() {
        let users = "\u{feff}id,name,kind,departments,from\nu1,Ann,,a|b,2025-03-01\nr1,Room,room,,\n";
        let users = records(users.as_bytes(), user).unwrap();
        assert_eq!(users[0].departments, ["a", "b"]);
        assert_eq!(users[1].kind, UserKind::Room);
        assert_eq!((users[0].from, users[1].from), (Some(jiff::civil::date(2025, 3, 1)), None));
        let departments = records(b"id,parent_id,name,from\na,,A,\nb,a,B,2025-03-01\n", department).unwrap();
        assert_eq!(departments[1].parent_id.as_deref(), Some("a"));
        assert_eq!(departments[1].from, users[0].from);
    }

    #[test]
    fn what_is_wrong_in_a_csv_file_is_named_with_its_line() {
        let refused = |text: &str| format!("{:?}", records(text.as_bytes(), user).unwrap_err());
        assert!(refused("id,name\nu1,\n").contains("line 2: name is missing"));
        assert!(refused("id,name,kind\nu1,A,member\nu2,B,boss\n").contains("line 3: kind boss: expected member"));
        assert!(refused("id,name,from\nu1,A,\nu1,A,2025-02-30\n").contains("line 3: from 2025-02-30: expected a day such as 2025-03-01"));
        assert!(refused("id,name\nu1,A\nu2\n").contains("line: 3"));
        assert!(refused("id,name,color\nu1,A,red\n").contains("column color: no such column"));
    }
}
